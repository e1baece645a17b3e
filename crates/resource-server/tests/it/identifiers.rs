//! Issuers that are named and not addressed: what is compared may be any text, what is fetched may
//! not.

use crate::setup::idp;
use portcullis_resource_server::{Config, ResourceServer, Settings};
use portcullis_testkit::{AUDIENCE, Answer, AnsweringServer, clock, decide};
use std::sync::Arc;

const NAMES: [&str; 5] = [
    "http://farm.example/adfs/services/trust",
    "urn:example:issuer",
    "our-old-server",
    "tokens@idp.example",
    "https://idp.example/?tenant=a",
];

fn settings(url: &str, more: &str) -> Result<Settings, String> {
    let text = format!(
        "[[issuer]]\nurl = \"{url}\"\naudience = \"{AUDIENCE}\"\nprofile = \"generic\"\n{more}\n"
    );
    Config::from_toml(&text)
        .and_then(Settings::try_from)
        .map_err(|faults| faults.to_string())
}

#[tokio::test]
async fn a_name_is_compared_where_the_keys_are_elsewhere() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let keys = format!("jwks_uri = \"{}\"", idp.jwks_uri());
    for name in NAMES {
        let server = ResourceServer::with_clock(
            settings(name, &keys).unwrap(),
            Arc::<_>::clone(&clock) as Arc<_>,
        );
        let token = |issuer: &str| idp.token("alice").issuer(issuer).sign();
        assert_eq!(decide(&server, &token(name)).await, "allow", "{name}");
        for other in [
            format!("{name}/"),
            name.to_uppercase(),
            format!("{name} "),
            "x".to_owned(),
        ] {
            assert_eq!(
                decide(&server, &token(&other)).await,
                "token.issuer",
                "{name}: {other}"
            );
        }
        assert_eq!(
            decide(&server, &idp.token("alice").sign()).await,
            "token.issuer",
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_name_is_compared_where_its_tokens_are_asked_about() {
    let endpoint = AnsweringServer::start("").await;
    let asked = format!(
        "[issuer.introspection]\nauth = \"none\"\nendpoint = \"{}\"",
        endpoint.url
    );
    for name in NAMES {
        let server = ResourceServer::with_clock(settings(name, &asked).unwrap(), clock());
        let answer = |issuer: &str| Answer {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: format!(r#"{{"active":true,"iss":"{issuer}","aud":"{AUDIENCE}","sub":"s"}}"#),
        };
        endpoint.answer(answer(name));
        assert_eq!(decide(&server, "opaque-1").await, "allow", "{name}");
        endpoint.answer(answer("x"));
        assert_eq!(decide(&server, "opaque-2").await, "token.issuer", "{name}");
    }
}

#[test]
fn a_name_leads_nowhere_by_itself() {
    for name in NAMES {
        let faults = settings(name, "").unwrap_err();
        assert!(
            faults.contains("issuer[0].url") && faults.contains("jwks_uri"),
            "{name}: {faults}"
        );
        let plain = settings(name, "jwks_uri = \"http://idp.example/keys\"").unwrap_err();
        assert!(
            plain.contains("issuer[0].jwks_uri"),
            "what is fetched must be https: {plain}"
        );
        let plain = settings(name, "metadata_url = \"http://idp.example/metadata\"").unwrap_err();
        assert!(plain.contains("issuer[0].metadata_url"), "{plain}");
    }
    for name in [" urn:x", "urn:x\\n", ""] {
        assert!(
            settings(name, "jwks_uri = \"https://idp.example/keys\"").is_err(),
            "{name:?}"
        );
    }
    // AD FS shows where its documents are; nothing else is needed, and its address is no issuer of
    // access tokens.
    let adfs = |url: &str| {
        let text = format!("[[issuer]]\nurl = \"{url}\"\naudience = \"a\"\n");
        Config::from_toml(&text)
            .and_then(Settings::try_from)
            .map_err(|faults| faults.to_string())
    };
    assert!(adfs("http://farm.example/adfs/services/trust").is_ok());
    assert!(
        adfs("https://farm.example/adfs")
            .unwrap_err()
            .contains("access_token_issuer")
    );
}
