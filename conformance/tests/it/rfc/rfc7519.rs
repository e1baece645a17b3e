//! RFC 7519: JSON Web Token.

use super::{NOW, RfcSetup};
use serde_json::json;

/// 2: a NumericDate is a number, never a string
#[tokio::test]
async fn section_2_numeric_dates() {
    let world = RfcSetup::new().await;
    for claim in ["exp", "nbf", "iat"] {
        for value in [json!("1800000600"), json!(null), json!(true), json!([1])] {
            assert_eq!(
                world
                    .decide(&world.token().claim(claim, value).sign())
                    .await,
                "token.claim_type",
                "{claim}"
            );
        }
    }
    assert_eq!(
        world
            .decide(&world.token().claim("exp", 1_800_000_600.5).sign())
            .await,
        "allow"
    );
}

/// 4: claim names are unique; a repeated one is refused
#[tokio::test]
async fn section_4_names_are_unique() {
    let world = RfcSetup::new().await;
    for payload in [r#"{"iss":"a","iss":"b"}"#, r#"{"x":{"a":1,"a":2}}"#] {
        assert_eq!(
            world.decide(&world.rewritten(1, payload)).await,
            "token.malformed"
        );
    }
}

/// 4: claims that are not understood are ignored
#[tokio::test]
async fn section_4_unknown_claims_are_ignored() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .decide(
                &world
                    .token()
                    .claim("x-unknown", json!({ "a": [1] }))
                    .sign()
            )
            .await,
        "allow"
    );
}

/// 4.1.1: `iss` is a string that compares with case
#[tokio::test]
async fn section_4_1_1_iss() {
    let world = RfcSetup::new().await;
    let upper = world.idp.issuer().as_str().to_uppercase();
    assert_eq!(
        world
            .decide(&world.token().issuer(&upper).sign())
            .await,
        "token.issuer"
    );
    assert_eq!(
        world
            .decide(
                &world
                    .token()
                    .claim("iss", json!([world.idp.issuer().as_str()]))
                    .sign()
            )
            .await,
        "token.claim_type"
    );
}

/// 4.1.3: whoever is not among `aud` refuses the token; `aud` is a string or an array of strings
#[tokio::test]
async fn section_4_1_3_aud() {
    let world = RfcSetup::new().await;
    let own = world.idp.audience().to_owned();
    for (aud, expected) in [
        (json!(own), "allow"),
        (json!(["x", own]), "allow"),
        (json!("x"), "token.audience"),
        (json!([]), "token.audience"),
        (json!([[own]]), "token.claim_type"),
        (json!(1), "token.claim_type"),
    ] {
        assert_eq!(
            world
                .decide(&world.token().claim("aud", aud.clone()).sign())
                .await,
            expected,
            "{aud}"
        );
    }
}

/// 4.1.4: on or after `exp`, with a small leeway, the token is refused
#[tokio::test]
async fn section_4_1_4_exp() {
    let world = RfcSetup::new().await;
    for (exp, expected) in [
        (NOW - 59, "allow"),
        (NOW - 60, "token.expired"),
        (NOW - 1_000, "token.expired"),
    ] {
        assert_eq!(
            world
                .decide(&world.token().claim("exp", exp).sign())
                .await,
            expected,
            "{exp}"
        );
    }
}

/// 4.1.5: before `nbf`, with a small leeway, the token is refused
#[tokio::test]
async fn section_4_1_5_nbf() {
    let world = RfcSetup::new().await;
    for (nbf, expected) in [(NOW + 60, "allow"), (NOW + 61, "token.not_yet_valid")] {
        assert_eq!(
            world
                .decide(&world.token().claim("nbf", nbf).sign())
                .await,
            expected,
            "{nbf}"
        );
    }
}

/// 7.2: the claims set is a JSON object in UTF-8
#[tokio::test]
async fn section_7_2_the_claims_are_an_object() {
    let world = RfcSetup::new().await;
    for payload in ["", "[]", "\"x\"", "null", "{}{}", "{\"a\":1,}"] {
        assert_eq!(
            world.decide(&world.rewritten(1, payload)).await,
            "token.malformed",
            "{payload}"
        );
    }
}
