//! `portcullis config check --online` beside a real provider, and beside none.

use crate::folder::{Folder, joined};
use crate::idp::Provider;

/// The exit code, and what is said.
fn check(name: &str, issuer: &str, more: &str, secret: &str) -> (i32, String) {
    let folder = Folder::new(&format!("online-{name}"));
    let text = format!(
        "[[issuer]]\nurl = \"{issuer}\"\naudience = \"api\"\n{more}[gateway]\nupstream = \
         \"http://127.0.0.1:9\"\n"
    );
    folder.write("portcullis.toml", &text);
    folder.status(&["config", "check", "--online"], &[("SECRET", secret)])
}

const ASKED: &str =
    "[issuer.introspection]\nclient_id = \"service\"\nclient_secret_env = \"SECRET\"\n";

#[test]
fn a_provider_that_works_is_told_with_its_keys_and_endpoints() {
    let provider = Provider::start();
    let (code, said) = check("works", &provider.issuer, ASKED, "service-secret");
    let told = joined(&said);
    assert_eq!(code, 0, "{said}");
    for piece in [
        &format!(
            "{} ok metadata: names the key set {}",
            provider.issuer, provider.issuer
        ),
        "ok keys: 1 for ES256",
        "ok introspection: answers the client `service`",
    ] {
        assert!(told.contains(piece), "{piece}: {said}");
    }
}

#[test]
fn a_client_that_is_refused_is_told_without_its_secret() {
    let provider = Provider::start();
    let (code, said) = check("refused", &provider.issuer, ASKED, "another-secret");
    let told = joined(&said);
    assert_eq!(code, 2, "{said}");
    assert!(
        told.contains("failed introspection: ") && told.contains("the answer was 401"),
        "{said}"
    );
    assert!(
        told.contains("help: correct the client and its secret"),
        "{said}"
    );
    assert!(!said.contains("another-secret"), "{said}");
}

#[test]
fn a_provider_that_cannot_be_reached_is_an_outage() {
    let (code, said) = check("away", "http://127.0.0.1:9", "", "");
    assert_eq!(code, 4, "{said}");
    let told = joined(&said);
    assert!(
        told.contains("failed keys: ") && told.contains("help: correct `url`"),
        "{said}"
    );
}

/// Such machines are images that hold one program: https cannot be trusted, http on loopback can.
#[test]
fn a_machine_without_root_certificates_is_told_so() {
    let nowhere = [("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")];
    let provider = Provider::start();
    for (name, issuer, code) in [
        ("https", "https://idp.acme.dev", 4),
        ("loopback", &*provider.issuer, 0),
    ] {
        let folder = Folder::new(&format!("online-roots-{name}"));
        let gateway = "[gateway]\nupstream = \"http://127.0.0.1:9\"\n";
        let issuer = format!("[[issuer]]\nurl = \"{issuer}\"\naudience = \"api\"\n");
        folder.write("portcullis.toml", &format!("{issuer}{gateway}"));
        let (found, said) = folder.status(&["config", "check", "--online"], &nowhere);
        assert_eq!(found, code, "{said}");
        let told = joined(&said);
        let is_told = told.contains("no root certificates were found on this machine");
        assert!(
            is_told == (code == 4) && is_told == told.contains("`ca_file`"),
            "{said}"
        );
    }
}
