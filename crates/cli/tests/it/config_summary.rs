//! `portcullis config check`: what settings in order are told to mean, and its warnings.

use crate::folder::{Folder, joined};

const ISSUER: &str = "[[issuer]]\nurl = \"https://idp.acme.dev\"\naudience = \"api\"\n";
const GATEWAY: &str = "[gateway]\nupstream = \"http://127.0.0.1:3000\"\n";

/// What is said about settings, and whether they are in order.
fn check(name: &str, text: &str) -> (bool, String) {
    check_with(name, text, &[])
}

fn check_with(name: &str, text: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let folder = Folder::new(&format!("summary-{name}"));
    folder.write("portcullis.toml", text);
    folder.run_with(&["config", "check", "portcullis.toml"], variables)
}

#[test]
fn it_tells_who_is_trusted_what_leaves_and_who_may_call() {
    let text = r#"[[issuer]]
url = "https://idp.acme.dev"
audience = ["api", "orders"]
claims = { department = "sales" }

[issuer.introspection]
endpoint = "https://idp.acme.dev/ask"
client_id = "api"
client_secret_env = "S"

[gateway]
upstream = "http://127.0.0.1:3000"

[[route]]
path = "/orders/**"
methods = ["GET", "POST"]
hosts = ["api.acme.dev"]
require = { scope = "orders:read" }

[[route]]
name = "open"
path = "/open"
access = "public"
"#;
    let (is_fine, said) = check_with("all", text, &[("S", "a-secret-of-the-api")]);
    assert!(
        is_fine && said.starts_with("ok portcullis.toml is in order.\n"),
        "{said}"
    );
    let told = joined(&said);
    for piece in [
        "Listens 127.0.0.1:8080 requests, plain HTTP",
        "Trusts https://idp.acme.dev profile generic, audience api or orders, claim `department` = \
         \"sales\"",
        "https://idp.acme.dev/.well-known/openid-configuration the metadata of the issuer",
        "https://idp.acme.dev/ask opaque tokens, as the client `api`",
        "http://127.0.0.1:3000 requests, without their tokens",
        "standard output one audit record for each decision",
        "GET, POST api.acme.dev/orders/** scope `orders:read`",
        "any /open (open) public",
        "any other request a valid token",
    ] {
        assert!(told.contains(piece), "{piece}: {said}");
    }
    assert!(!said.contains("a-secret"), "{said}");
}

#[test]
fn it_tells_that_tokens_leave() {
    let identity = "[gateway.identity]\nforward_token = true\n";
    let (is_fine, said) = check("tokens", &format!("{ISSUER}{GATEWAY}{identity}"));
    assert!(
        is_fine && joined(&said).contains("requests, with their tokens"),
        "{said}"
    );
}

#[cfg(feature = "redis")]
#[test]
fn the_password_of_a_store_is_left_out() {
    let store = "[revocation]\nstore = \"redis://someone:hunter22@127.0.0.1:6379/0\"\n";
    let (is_fine, said) = check("store", &format!("{ISSUER}{store}{GATEWAY}"));
    assert!(
        is_fine && said.contains("redis://127.0.0.1:6379/0"),
        "{said}"
    );
    assert!(
        !said.contains("hunter22") && !said.contains("someone"),
        "{said}"
    );
}

#[test]
fn an_issuer_in_another_spelling_than_its_provider_s_is_a_warning() {
    for (name, url, told) in [
        (
            "auth0",
            "https://acme.auth0.com",
            "an issuer that ends with a slash",
        ),
        (
            "entra",
            "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555",
            "an issuer of Entra ID, which ends with `/v2.0`",
        ),
    ] {
        let text = format!("[[issuer]]\nurl = \"{url}\"\naudience = \"api\"\n{GATEWAY}");
        let (is_fine, said) = check(name, &text);
        let warning = format!("WARNING issuer[0].url: expected {told}");
        assert!(is_fine && joined(&said).contains(&warning), "{said}");
    }
}

/// Whoever has a Google account gets a token: that is told, until something narrows it.
#[test]
fn a_provider_for_everybody_is_a_warning_until_something_narrows_it() {
    let google = "[[issuer]]\nurl = \"https://accounts.google.com\"\naudience = \"c\"\n";
    let firebase = "[[issuer]]\nurl = \"https://securetoken.google.com/p\"\naudience = \"p\"\n";
    let narrow = "[[route]]\npath = \"/**\"\nrequire = { claim = { email_verified = true } }\n";
    let public = "[[route]]\npath = \"/open\"\naccess = \"public\"\n";
    let claims = "claims = { hd = \"acme.dev\" }\n";
    for (name, text, warns) in [
        ("plain", format!("{google}{GATEWAY}"), true),
        (
            "hd",
            format!("{google}tenant = \"acme.dev\"\n{GATEWAY}"),
            false,
        ),
        ("claims", format!("{google}{claims}{GATEWAY}"), false),
        (
            "require",
            format!("{google}{GATEWAY}{narrow}{public}"),
            false,
        ),
        ("public", format!("{google}{GATEWAY}{public}"), true),
        ("firebase", format!("{firebase}{GATEWAY}"), true),
        ("own", format!("{ISSUER}{GATEWAY}"), false),
    ] {
        let (is_fine, said) = check(&format!("everybody-{name}"), &text);
        let found = joined(&said).contains("WARNING issuer[0].claims: expected a condition:");
        assert!(is_fine && found == warns, "{name}: {said}");
    }
}

#[test]
fn faults_that_do_not_need_the_profile_are_told_without_one() {
    let text = "profile = \"entra-v3\"\nalgorithms = [\"none\"]\nleeway = 999\n";
    let (is_fine, said) = check("no-profile", &format!("{ISSUER}{text}{GATEWAY}"));
    assert!(!is_fine, "{said}");
    for told in ["3 faults", "issuer[0].algorithms[0]:", "issuer[0].leeway:"] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

#[test]
fn a_word_at_fault_is_told_once() {
    let route = "[[route]]\npath = \"/a\"\nrequire = { max_age = 0 }\n";
    let (is_fine, said) = check("once", &format!("{ISSUER}{GATEWAY}{route}"));
    assert!(
        !is_fine && said.contains("1 fault in the settings"),
        "{said}"
    );
}

#[test]
fn variables_that_do_not_count_are_told() {
    let variables = [
        ("OAUTH2_ISSUER", "https://idp.acme.dev"),
        ("OAUTH2_AUDIENCE", "another"),
        ("OAUTH2_CLIENT_ID", "mine"),
    ];
    let text = format!("{ISSUER}{GATEWAY}");
    let (is_fine, said) = check_with("ignored", &text, &variables);
    // The issuer is the same, and the client is for `portcullis token`.
    let warning = "WARNING OAUTH2_AUDIENCE: set in the environment or in `.env`, and not used";
    assert!(is_fine && joined(&said).contains(warning), "{said}");
    let text = text.replace("\"api\"", "\"${OAUTH2_AUDIENCE}\"");
    let (is_fine, said) = check_with("used", &text, &variables);
    assert!(is_fine && !said.contains("not used"), "{said}");
}
