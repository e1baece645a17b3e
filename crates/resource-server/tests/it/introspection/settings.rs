//! What is wrong with the settings is told at the start, with its place; and no secret is ever
//! shown.

use super::client::{File, pem};
use portcullis_core::ConfigError;
use portcullis_resource_server::{Config, Settings};

fn places(text: &str) -> Vec<String> {
    let config = Config::from_toml(text).unwrap();
    match Settings::try_from(config) {
        Ok(_) => Vec::new(),
        Err(errors) => errors
            .iter()
            .map(ConfigError::place)
            .map(str::to_owned)
            .collect(),
    }
}

fn issuer(name: &str, introspection: &str) -> String {
    format!(
        "[[issuer]]\nurl = \"https://{name}.example\"\naudience = [\"a\"]\n[issuer.introspection]\n{introspection}\n"
    )
}

#[test]
fn every_fault_has_its_place() {
    let (secret, key) = (
        File::new(" s3cret\n"),
        File::new(&pem("PRIVATE KEY", b"no key")),
    );
    let empty = File::new(" \n");
    let assertion = File::new("a.b.c\n");
    let by_assertion = format!(
        "client_id = \"a\"\nclient_assertion_file = \"{}\"\n",
        assertion.path()
    );
    assert_eq!(places(&issuer("a", &by_assertion)), [""; 0]);
    assert_eq!(
        places(&issuer(
            "a",
            &format!("{by_assertion}auth = \"private_key_jwt\"")
        )),
        [""; 0]
    );
    let with_secret = format!(
        "client_id = \"a\"\nclient_secret_file = \"{}\"\n",
        secret.path()
    );
    assert_eq!(places(&issuer("a", &with_secret)), [""; 0]);
    for (more, place) in [
        ("client_id = \"a\"".to_owned(), "client_secret_file"),
        (
            "client_id = \"a\"\nclient_secret_file = \"/nonexistent\"".to_owned(),
            "client_secret_file",
        ),
        (
            format!(
                "client_id = \"a\"\nclient_secret_file = \"{}\"",
                empty.path()
            ),
            "client_secret_file",
        ),
        (
            "client_id = \"a\"\nclient_secret_env = \"PORTCULLIS_UNSET\"".to_owned(),
            "client_secret_env",
        ),
        (
            format!("{with_secret}client_secret_env = \"HOME\""),
            "client_secret_file",
        ),
        (with_secret.replace("client_id = \"a\"", ""), "client_id"),
        (
            format!(
                "client_id = \"a\"\nauth = \"private_key_jwt\"\nprivate_key_file = \"{}\"",
                empty.path()
            ),
            "private_key_file",
        ),
        (by_assertion.replace("client_id = \"a\"", ""), "client_id"),
        (
            format!(
                "{with_secret}client_assertion_file = \"{}\"",
                assertion.path()
            ),
            "client_assertion_file",
        ),
        (
            format!("{by_assertion}auth = \"client_secret_basic\""),
            "client_assertion_file",
        ),
        (
            format!(
                "client_id = \"a\"\nclient_assertion_file = \"{}\"",
                empty.path()
            ),
            "client_assertion_file",
        ),
        (
            format!(
                "client_id = \"a\"\nclient_assertion_file = \"{}\"",
                secret.path()
            ),
            "client_assertion_file",
        ),
        (
            "client_id = \"a\"\nclient_assertion_file = \"/nonexistent\"".to_owned(),
            "client_assertion_file",
        ),
        (format!("{with_secret}auth = \"digest\""), "auth"),
        (
            "client_id = \"a\"\nauth = \"private_key_jwt\"".to_owned(),
            "private_key_file",
        ),
        (
            format!(
                "client_id = \"a\"\nauth = \"private_key_jwt\"\nprivate_key_file = \"{}\"",
                key.path()
            ),
            "private_key_file",
        ),
        (
            "client_id = \"a\"\nauth = \"tls_client_auth\"".to_owned(),
            "certificate_file",
        ),
        (
            format!(
                "client_id = \"a\"\nauth = \"tls_client_auth\"\ncertificate_file = \"{}\"",
                key.path()
            ),
            "certificate_file",
        ),
        (
            format!("{with_secret}endpoint = \"http://idp.example/introspect\""),
            "endpoint",
        ),
        (format!("{with_secret}tokens = \"some\""), "tokens"),
        (format!("{with_secret}prefix = \"\""), "prefix"),
        (format!("{with_secret}prefix = \"a b\""), "prefix"),
        (
            format!("{with_secret}cache_seconds = 3601"),
            "cache_seconds",
        ),
    ] {
        assert_eq!(
            places(&issuer("a", &more)),
            [format!("issuer[0].introspection.{place}")],
            "{more}"
        );
    }
}

#[test]
fn opaque_tokens_belong_to_one_issuer() {
    let none = "auth = \"none\"\n";
    let prefixed = |prefix: &str| format!("{none}prefix = \"{prefix}\"\n");
    let two = |first: &str, second: &str| places(&(issuer("a", first) + &issuer("b", second)));
    assert_eq!(two(none, &prefixed("b_")), [""; 0]);
    assert_eq!(two(&prefixed("a_"), &prefixed("b_")), [""; 0]);
    assert_eq!(two(none, none), ["issuer[1].introspection.prefix"]);
    assert_eq!(
        two(&prefixed("a_"), &prefixed("a_")),
        ["issuer[1].introspection.prefix"]
    );
}

#[test]
fn one_endpoint_for_many_tenants_cannot_be() {
    let entra = "[[issuer]]\nurl = \"https://login.microsoftonline.com/{tenantid}/v2.0\"\n\
                 audience = [\"00000000-1111-4000-8000-00000000000a\"]\ndanger_any_tenant = true\n";
    let found = places(&format!("{entra}[issuer.introspection]\nauth = \"none\"\n"));
    assert_eq!(found, ["issuer[0].introspection"]);
    let groups = "[issuer.groups_lookup]\nclient_id = \"a\"\nclient_secret_env = \"HOME\"\n";
    assert_eq!(
        places(&format!("{entra}{groups}")),
        ["issuer[0].groups_lookup.token_endpoint"]
    );
    let endpoint =
        "token_endpoint = \"https://login.microsoftonline.com/{tenantid}/oauth2/v2.0/token\"\n";
    assert_eq!(places(&format!("{entra}{groups}{endpoint}")), [""; 0]);
    let one = entra.replace(
        "danger_any_tenant = true",
        "tenant = \"00000000-1111-4000-8000-000000000001\"",
    );
    assert_eq!(places(&format!("{one}{groups}")), [""; 0]);
    let one = format!("{one}jwks_uri = \"https://login.microsoftonline.com/keys\"\n");
    assert_eq!(
        places(&format!("{one}{groups}")),
        ["issuer[0].groups_lookup.token_endpoint"]
    );
    let introspection = "[issuer.introspection]\nauth = \"none\"\n";
    assert_eq!(
        places(&format!("{one}{introspection}")),
        ["issuer[0].introspection.endpoint"]
    );
    let other = "[[issuer]]\nurl = \"https://a.example\"\naudience = [\"a\"]\n";
    assert_eq!(
        places(&format!("{other}{groups}")),
        ["issuer[0].groups_lookup"]
    );
}

#[test]
fn nothing_shows_a_secret() {
    let file = File::new("marked-secret");
    let text = issuer(
        "a",
        &format!(
            "client_id = \"a\"\nclient_secret_file = \"{}\"",
            file.path()
        ),
    );
    let config = Config::from_toml(&text).unwrap();
    let settings = Settings::try_from(config.clone()).unwrap();
    assert!(!format!("{config:?}{settings:?}").contains("marked-secret"));
    let text = issuer("a", "client_id = \"a\"\nclient_secret = \"marked-secret\"");
    let errors = Config::from_toml(&text).unwrap_err().to_string();
    assert!(
        errors.contains("client_secret") && !errors.contains("marked-secret"),
        "{errors}"
    );
}
