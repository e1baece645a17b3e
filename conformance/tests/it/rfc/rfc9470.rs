//! RFC 9470: step-up authentication, as far as it binds a resource server.

use super::{NOW, RfcSetup, asking};
use axum::http::{HeaderMap, HeaderValue};
use portcullis_core::challenge::challenge;
use portcullis_core::{Decision, Requirement};
use portcullis_resource_server::ResourceServer;
use portcullis_testkit::AnsweringServer;
use serde_json::{Value, json};
use std::time::Duration;

fn payer() -> Requirement {
    let age = Requirement::max_age(Duration::from_secs(900));
    Requirement::all([
        Requirement::scope("orders:read"),
        Requirement::acr(["phr", "mfa"]),
        age,
    ])
}

/// The status and the challenge of a refusal; 200 and nothing for a permit.
async fn asked(server: &ResourceServer, token: &str) -> (u16, String) {
    let mut headers = HeaderMap::new();
    headers.insert(
        "authorization",
        HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
    );
    match server.decide(&headers, None, &payer()).await {
        Decision::Allow(_) => (200, String::new()),
        Decision::Deny(rejection) => {
            let told = challenge(&rejection, "api");
            (told.status, told.www_authenticate)
        }
        Decision::Fail(outage) => panic!("{outage}"),
    }
}

/// 3: a sign-in that does not meet the demand gets 401 `insufficient_user_authentication`
#[tokio::test]
async fn section_3_insufficient_user_authentication() {
    let world = RfcSetup::new().await;
    let token = || world.token().acr("mfa").auth_time(NOW as u64 - 900);
    assert_eq!(asked(&world.server, &token().sign()).await.0, 200);
    for token in [
        token().acr("pwd"),
        token().auth_time(NOW as u64 - 901),
        world.token(),
    ] {
        let (status, challenge) = asked(&world.server, &token.sign()).await;
        assert_eq!(status, 401);
        assert!(
            challenge.contains("error=\"insufficient_user_authentication\""),
            "{challenge}"
        );
    }
}

/// 3: `acr_values` lists what is required of `acr`, a space between, in order of preference
#[tokio::test]
async fn section_3_acr_values() {
    let world = RfcSetup::new().await;
    let (_, challenge) = asked(&world.server, &world.token().sign()).await;
    assert!(
        challenge.contains(", acr_values=\"phr mfa\""),
        "{challenge}"
    );
}

/// 3: `max_age` is a number of seconds since the user last signed in
#[tokio::test]
async fn section_3_max_age() {
    let world = RfcSetup::new().await;
    let (_, challenge) = asked(&world.server, &world.token().sign()).await;
    assert!(challenge.contains(", max_age=\"900\""), "{challenge}");
}

/// 3: the challenge may name the scopes too, so that one authorization request cures both
#[tokio::test]
async fn section_3_with_the_scope() {
    let world = RfcSetup::new().await;
    let token = world.token().scope("orders:write").sign();
    let (status, challenge) = asked(&world.server, &token).await;
    assert_eq!(status, 401);
    assert!(
        challenge.contains(", scope=\"orders:read\", acr_values="),
        "{challenge}"
    );
    let signed_in = world
        .token()
        .scope("orders:write")
        .acr("phr")
        .auth_time(NOW as u64)
        .sign();
    let (status, challenge) = asked(&world.server, &signed_in).await;
    assert!(
        status == 403 && challenge.contains("insufficient_scope"),
        "{challenge}"
    );
}

/// 6.1: a JWT tells how and when the user signed in by `acr` and `auth_time`
#[tokio::test]
async fn section_6_1_jwt_access_tokens() {
    let world = RfcSetup::new().await;
    let token = || {
        world
            .token()
            .claim("acr", "phr")
            .claim("auth_time", NOW)
    };
    assert_eq!(asked(&world.server, &token().sign()).await.0, 200);
    for (name, value) in [
        ("acr", json!("phr mfa")),
        ("acr", json!({ "phr": 1 })),
        ("auth_time", json!(NOW.to_string())),
    ] {
        assert_eq!(
            asked(&world.server, &token().claim(name, value).sign())
                .await
                .0,
            401,
            "{name}"
        );
    }
}

/// 6.2: the answer of an introspection endpoint tells it by the same members
#[tokio::test]
async fn section_6_2_introspection() {
    let answer = |acr: Value| {
        let aud = "api://enterprise-api";
        json!({ "active": true, "aud": aud, "sub": "s", "scope": "orders:read", "acr": acr, "auth_time": NOW })
    };
    for (acr, expected) in [("mfa", 200), ("pwd", 401)] {
        let endpoint = AnsweringServer::start(&answer(acr.into()).to_string()).await;
        assert_eq!(
            asked(&asking(&endpoint.url, "").server, "opaque")
                .await
                .0,
            expected,
            "{acr}"
        );
    }
}
