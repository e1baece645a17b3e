//! RFC 8725: JSON Web Token best current practices.

use super::RfcSetup;
use serde_json::json;

/// 3.1: the algorithm must be one that is accepted, and the one that the key is for
#[tokio::test]
async fn section_3_1_algorithms_are_verified() {
    let world = RfcSetup::new().await;
    for algorithm in ["PS256", "RS512", "ES256"] {
        assert_eq!(
            world
                .decide(&world.token().header("alg", algorithm).sign())
                .await,
            "token.algorithm",
            "{algorithm}"
        );
    }
    assert_eq!(
        world
            .decide(&world.token().hmac_with_public_key().sign())
            .await,
        "token.algorithm"
    );
}

/// 3.3: every signature is validated; a token with a wrong one is refused whole
#[tokio::test]
async fn section_3_3_the_whole_token_is_refused() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .decide(&world.token().wrong_key().await.sign())
            .await,
        "token.signature"
    );
}

/// 3.7: only UTF-8
#[tokio::test]
async fn section_3_7_utf_8() {
    let world = RfcSetup::new().await;
    let token = world.token().sign();
    let parts: Vec<&str> = token.split('.').collect();
    let latin1 = portcullis_core::jose::base64url::encode(b"{\"iss\":\"\xe9\"}");
    assert_eq!(
        world
            .decide(&format!("{}.{latin1}.{}", parts[0], parts[2]))
            .await,
        "token.malformed"
    );
}

/// 3.8: the keys are those of the token's own issuer
#[tokio::test]
async fn section_3_8_keys_belong_to_the_issuer() {
    let (world, other) = (RfcSetup::new().await, RfcSetup::new().await);
    assert_eq!(world.decide(&other.token().sign()).await, "token.issuer");
    let borrowed = other
        .token()
        .issuer(world.idp.issuer().as_str())
        .sign();
    assert_eq!(world.decide(&borrowed).await, "token.key_unknown");
}

/// 3.9: the audience is required, and must be ours
#[tokio::test]
async fn section_3_9_the_audience_is_required() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .decide(&world.token().without("aud").sign())
            .await,
        "token.claim_missing"
    );
    assert!(portcullis_resource_server::Settings::new("https://idp.example", "").is_err());
}

/// 3.10: `kid` is only compared; no form of it leads anywhere
#[tokio::test]
async fn section_3_10_kid_is_only_compared() {
    let world = RfcSetup::new().await;
    for kid in [
        "../../etc/passwd",
        "' OR 1=1 --",
        "http://127.0.0.1/",
        "\u{0}",
        "",
    ] {
        assert_eq!(
            world.decide(&world.token().kid(kid).sign()).await,
            "token.key_unknown",
            "{kid:?}"
        );
    }
}

/// 3.11, 3.12: other kinds of JWT are refused by their type
#[tokio::test]
async fn section_3_11_explicit_types() {
    let world = RfcSetup::new().await;
    for typ in [
        Some("JWT"),
        None,
        Some("logout+jwt"),
        Some("secevent+jwt"),
        Some("dpop+jwt"),
        Some("token-introspection+jwt"),
    ] {
        assert_eq!(
            world.decide(&world.token().typ(typ).sign()).await,
            "token.type",
            "{typ:?}"
        );
    }
}

/// 3.12: where untyped tokens are accepted, ID tokens and logout tokens are told by their claims
#[tokio::test]
async fn section_3_12_mutually_exclusive_rules() {
    let world = RfcSetup::with("RS256", "generic").await;
    assert_eq!(world.decide(&world.token().typ(None).sign()).await, "allow");
    for claim in ["nonce", "at_hash", "c_hash"] {
        assert_eq!(
            world
                .decide(&world.token().typ(None).claim(claim, "x").sign())
                .await,
            "token.id_token",
            "{claim}"
        );
    }
    assert_eq!(
        world
            .decide(
                &world
                    .token()
                    .typ(None)
                    .claim("events", json!({}))
                    .sign()
            )
            .await,
        "token.type"
    );
}
