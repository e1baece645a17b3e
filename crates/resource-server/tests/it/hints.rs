//! The usual mistakes, each told for what it is.

use crate::setup::server;
use portcullis_core::Limits;
use portcullis_core::jose::Jwks;
use portcullis_idp::{IdpConfig, Overlap};
use portcullis_resource_server::Settings;
use portcullis_testkit::{AUDIENCE, ResourceServerSetup, server_on};

async fn hint(world: &ResourceServerSetup, issuer: Option<&str>, token: &str) -> String {
    let explanation = match issuer {
        Some(issuer) => server(issuer, &world.clock).explain(token).await,
        None => world.server.explain(token).await,
    };
    explanation.hint.unwrap_or_default()
}

#[tokio::test]
async fn the_usual_mistakes_are_recognised() {
    let world = ResourceServerSetup::new().await;
    let (idp, issuer) = (&world.idp, world.idp.issuer().to_string());
    let good = idp.token("alice").sign();
    let with_slash = format!("{issuer}/");
    let cut = |characters: usize| good.get(..good.len() - characters).unwrap().to_owned();
    let cut_at_dot = good.split('.').next().unwrap();
    let cases = [
        (
            None,
            idp.token("alice").id_token().sign(),
            "this is an ID token",
        ),
        (
            None,
            idp.token("alice")
                .typ(Some("JWT"))
                .claim("events", 1)
                .sign(),
            "logout token",
        ),
        (None, "2YotnFZFEjr1zCsicMWpAA".to_owned(), "opaque token"),
        (None, String::new(), "no token"),
        (None, cut(41), "cut at the end"),
        // What is left of the signature is base64url as well.
        (
            None,
            cut(good.rsplit_once('.').unwrap().1.len() % 4 + 40),
            "cut at the end",
        ),
        (
            None,
            good.rsplit_once('.').unwrap().0.to_owned(),
            "the signature is missing",
        ),
        (None, cut_at_dot.repeat(2), "cut at a dot"),
        (None, "ey.a.b.c.d".to_owned(), "encrypted"),
        (
            None,
            idp.token("alice").hmac_with_public_key().sign(),
            "this is how a forgery looks",
        ),
        (
            None,
            idp.token("alice")
                .kid("other")
                .hmac_with_public_key()
                .sign(),
            "the provider signs with a shared secret",
        ),
        (None, idp.token("alice").alg_none().sign(), "nobody signed"),
        (
            None,
            idp.token("alice").audience("web").sign(),
            "meant for the client itself",
        ),
        (
            None,
            idp.token("alice").audience("enterprise-api").sign(),
            "differ by `api://`",
        ),
        (
            None,
            idp.token("alice").claim("iat", 1_800_000_300).sign(),
            "300 s ahead",
        ),
        (
            None,
            idp.token("alice").claim("exp", 1_799_999_900).sign(),
            "it ended 100 s ago",
        ),
        (
            None,
            idp.token("alice").kid("old").sign(),
            "does not publish this key",
        ),
        (
            Some(with_slash.as_str()),
            good.clone(),
            "has no final slash",
        ),
        (
            None,
            idp.token("alice").issuer(&with_slash).sign(),
            "has a final slash",
        ),
        (
            Some("https://login.microsoftonline.com/t/v2.0"),
            idp.token("alice")
                .issuer("https://sts.windows.net/t/")
                .sign(),
            "v1 token of Entra",
        ),
        (
            Some("https://sts.windows.net/t/"),
            idp.token("alice")
                .issuer("https://login.microsoftonline.com/t/v2.0")
                .sign(),
            "v2 token of Entra",
        ),
        (
            Some("https://idp.example/T"),
            idp.token("alice")
                .issuer("https://idp.example/t")
                .sign(),
            "lower case",
        ),
        (None, good, ""),
    ];
    for (issuer, token, expected) in cases {
        let hint = hint(&world, issuer, &token).await;
        assert!(
            hint.contains(expected) && hint.is_empty() == expected.is_empty(),
            "{expected}: {hint}"
        );
    }
}

/// A token for Microsoft's own API needs another token, not another manifest.
#[tokio::test]
async fn a_token_for_an_api_of_the_provider_is_told_as_one() {
    const V1: &str = "https://sts.windows.net/00000000-1111-4000-8000-000000000001/";
    const V2: &str = "https://login.microsoftonline.com/00000000-1111-4000-8000-000000000001/v2.0";
    const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
    let world = ResourceServerSetup::new().await;
    let token = |issuer: &str, audience: &str| {
        let token = world
            .idp
            .token("alice")
            .issuer(issuer)
            .audience(audience);
        token.typ(Some("JWT"))
    };
    let with_nonce = |issuer, audience| token(issuer, audience).header("nonce", "n").sign();
    for (settings, token) in [
        (V2, with_nonce(V2, GRAPH)),
        (V2, token(V2, GRAPH).sign()),
        (V2, token(V1, "https://graph.microsoft.com").sign()),
        (V1, token(V1, "https://graph.microsoft.com/").sign()),
    ] {
        let hint = hint(&world, Some(settings), &token).await;
        assert!(
            hint.contains("this token is for Microsoft Graph: ask for a scope of your own API")
                && !hint.contains("requestedAccessTokenVersion"),
            "{hint}"
        );
    }
    let unknown_api = hint(&world, Some(V2), &with_nonce(V2, "some-api")).await;
    assert!(unknown_api.contains("an API of Microsoft"), "{unknown_api}");
    let own_api = hint(&world, Some(V2), &token(V2, AUDIENCE).sign()).await;
    assert!(!own_api.contains("Microsoft Graph"), "{own_api}");
    let okta = "https://acme.okta.com";
    let token = token(okta, okta).sign();
    let org = hint(&world, Some("https://acme.okta.com/oauth2/default"), &token).await;
    assert!(org.contains("Okta's own APIs"), "{org}");
}

/// The size and the bound are told, and which claim is to blame.
#[tokio::test]
async fn a_token_that_is_too_large_is_told_as_one() {
    let world = ResourceServerSetup::new().await;
    let groups: Vec<String> = (0..400).map(|n| format!("group-{n:040}")).collect();
    let token = world.idp.token("alice").claim("groups", groups).sign();
    assert_eq!(world.decide(&token).await, "token.too_large");
    let explanation = world.server.explain(&token).await;
    let step = explanation.first_obstacle().unwrap();
    assert_eq!(step.code, "token.too_large");
    assert_eq!(step.expected, "at most 16384 bytes");
    assert_eq!(step.found, format!("{} bytes", token.len()));
    let hint = explanation.hint.unwrap();
    assert!(
        hint.starts_with("the largest claim is `groups`, with about 19600"),
        "{hint}"
    );
    // What it says is shown all the same.
    let identity = explanation.content.identity.unwrap();
    assert_eq!(identity.groups().iter().count(), 400);
}

/// With more keys than are tried, the one that signed may not be among them.
#[tokio::test]
async fn a_token_without_kid_among_many_keys_is_told_as_one() {
    let config = IdpConfig {
        algorithm: "ES256".parse().unwrap(),
        ..IdpConfig::default()
    };
    let world = ResourceServerSetup::with(config, |idp| {
        Settings::new(idp.issuer().as_str(), AUDIENCE).unwrap()
    })
    .await;
    let token = world.idp.token("alice").without_header("kid").sign();
    let mut documents = vec![world.idp.jwks()];
    for _ in 0..5 {
        world.idp.rotate(Overlap::Without).await;
        documents.push(world.idp.jwks());
    }
    let mut keys = Vec::new();
    for document in documents.iter().rev() {
        let document: serde_json::Value = serde_json::from_str(document).unwrap();
        keys.extend(document["keys"].as_array().unwrap().clone());
    }
    assert_eq!(keys.len(), 6);
    let document = serde_json::json!({ "keys": keys }).to_string();
    let keys = Jwks::parse(document.as_bytes(), &Limits::default()).unwrap();
    let settings = Settings::new(world.idp.issuer().as_str(), AUDIENCE).unwrap();
    let server = server_on(&world.clock, settings.with_fixed_keys(&keys));
    let explanation = server.explain(&token).await;
    let step = |name| {
        explanation
            .steps
            .iter()
            .find(|step| step.name == name)
            .unwrap()
    };
    assert_eq!(
        step("signing key").found,
        "no `kid`, 6 keys that fit, of which 4 are tried"
    );
    assert_eq!(
        step("signature").found,
        "a signature of none of the 4 keys tried"
    );
    let hint = explanation.hint.clone().unwrap();
    assert!(hint.contains("6 keys that fit, only 4 are tried"), "{hint}");
    assert!(!explanation.is_authentic());
}
