//! `portcullis config init` with the values that are known already.

use crate::folder::{Folder, joined};

fn init(folder: &Folder, issuer: &str) -> (bool, String) {
    folder.run_plainly(&[
        "config",
        "init",
        "--issuer",
        issuer,
        "--audience",
        "api://orders",
        "--audience",
        "other",
        "--upstream",
        "3000",
    ])
}

#[test]
fn three_values_make_a_file_that_is_in_order() {
    let folder = Folder::new("init-values");
    let (is_fine, said) = init(&folder, "https://idp.acme.dev");
    assert!(
        is_fine && said.contains("portcullis.toml is written. Next:"),
        "{said}"
    );
    let text = folder.read("portcullis.toml");
    for line in [
        "url      = \"https://idp.acme.dev\"           # exactly as it stands in the tokens' `iss`",
        "audience = [\"api://orders\", \"other\"]",
        "upstream = \"http://127.0.0.1:3000\"  # the API",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let (is_fine, said) = folder.run_plainly(&["config", "check"]);
    assert!(is_fine && !said.contains("WARNING"), "{said}");
    // A file that is there is left alone.
    let (is_fine, said) = init(&folder, "https://other.acme.dev");
    assert!(!is_fine && said.contains("portcullis.toml: "), "{said}");
    assert_eq!(folder.read("portcullis.toml"), text);
}

#[test]
fn what_no_argument_can_say_is_told() {
    let folder = Folder::new("init-claims");
    let issuer = "https://token.actions.githubusercontent.com";
    let (is_fine, said) = init(&folder, issuer);
    assert!(is_fine, "{said}");
    let told = "It is not in order yet: portcullis.toml:";
    assert!(
        joined(&said).contains(told) && said.contains("issuer[0].claims"),
        "{said}"
    );
}

#[test]
fn without_values_it_tells_what_to_write() {
    let folder = Folder::new("init-plain");
    let (is_fine, said) = folder.run_plainly(&["config", "init", "--audience", "api"]);
    let told = "Put your issuer and the address of your API into it, then:";
    assert!(is_fine && said.contains(told), "{said}");
    assert!(
        folder
            .read("portcullis.toml")
            .contains("audience = [\"api\"]")
    );
}
