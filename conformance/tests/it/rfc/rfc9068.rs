//! RFC 9068: JWT profile for access tokens.

use super::{NOW, RfcSetup};
use serde_json::json;

/// 2.1: RS256 is supported
#[tokio::test]
async fn section_2_1_rs256() {
    let world = RfcSetup::with("RS256", "rfc9068").await;
    assert_eq!(world.decide(&world.token().sign()).await, "allow");
}

/// 2.2: `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` are required
#[tokio::test]
async fn section_2_2_required_claims() {
    let world = RfcSetup::new().await;
    for claim in ["exp", "aud", "sub", "client_id", "iat", "jti"] {
        assert_eq!(
            world
                .decide(&world.token().without(claim).sign())
                .await,
            "token.claim_missing",
            "{claim}"
        );
    }
    assert_eq!(
        world
            .decide(&world.token().without("iss").sign())
            .await,
        "token.issuer"
    );
}

/// 2.2: the required claims have their types
#[tokio::test]
async fn section_2_2_types() {
    let world = RfcSetup::new().await;
    for claim in ["sub", "client_id", "jti"] {
        for value in [json!(1), json!(null), json!([]), json!({}), json!("")] {
            assert_eq!(
                world
                    .decide(&world.token().claim(claim, value).sign())
                    .await,
                "token.claim_type",
                "{claim}"
            );
        }
    }
}

/// 2.2.3: scopes and roles are there for rules
#[tokio::test]
async fn section_2_2_3_scopes_and_roles() {
    let world = RfcSetup::new().await;
    let token = world.token().scope("a b").role("Auditor").sign();
    let token = world
        .server
        .authenticate(portcullis_core::credential::Credential::bearer(&token))
        .await
        .unwrap();
    assert!(
        token.has_scope("a")
            && token.has_scope("b")
            && token.has_role("Auditor")
            && token.has_role("Admin")
    );
}

/// 4: `typ` is `at+jwt` or `application/at+jwt`, or the token is refused
#[tokio::test]
async fn section_4_typ() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .decide(&world.token().typ(Some("JWT")).sign())
            .await,
        "token.type"
    );
}

/// 4: encrypted tokens are refused where none was agreed on
#[tokio::test]
async fn section_4_encrypted_tokens() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .decide("eyJhbGciOiJSU0EtT0FFUCJ9.AA.AA.AA.AA")
            .await,
        "token.malformed"
    );
}

/// 4: `iss` is exactly the issuer
#[tokio::test]
async fn section_4_iss() {
    let world = RfcSetup::new().await;
    let slash = format!("{}/", world.idp.issuer());
    assert_eq!(
        world
            .decide(&world.token().issuer(&slash).sign())
            .await,
        "token.issuer"
    );
}

/// 4: `aud` holds an identifier of this resource server
#[tokio::test]
async fn section_4_aud() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .decide(&world.token().audience("api://enterprise-api/").sign())
            .await,
        "token.audience"
    );
}

/// 4: the signature is that of a published key, and its algorithm is accepted
#[tokio::test]
async fn section_4_signature() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .decide(&world.token().kid("made-up").sign())
            .await,
        "token.key_unknown"
    );
    assert_eq!(
        world
            .decide(&world.token().signature_flipped().sign())
            .await,
        "token.signature"
    );
}

/// 4: the current time is before `exp`, with a leeway of at most a few minutes
#[tokio::test]
async fn section_4_exp() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .decide(&world.token().claim("exp", NOW - 61).sign())
            .await,
        "token.expired"
    );
    let text = "[[issuer]]\nurl = \"https://idp.example\"\naudience = [\"a\"]\nleeway = 301\n";
    let config = portcullis_resource_server::Config::from_toml(text).unwrap();
    assert!(portcullis_resource_server::Settings::try_from(config).is_err());
}

/// 4: the answer to all these failures is `invalid_token`
#[tokio::test]
async fn section_4_invalid_token() {
    let world = RfcSetup::new().await;
    for token in [
        world.token().typ(None).sign(),
        world.token().without("jti").sign(),
        world.token().audience("x").sign(),
    ] {
        assert!(
            world
                .ask_with(&token)
                .await
                .challenge
                .contains("error=\"invalid_token\"")
        );
    }
}

/// 5: ID tokens are refused
#[tokio::test]
async fn section_5_id_tokens() {
    for profile in ["rfc9068", "generic"] {
        let world = RfcSetup::with("RS256", profile).await;
        assert_ne!(
            world.decide(&world.token().id_token().sign()).await,
            "allow",
            "{profile}"
        );
    }
}
