//! RFC 9449, RFC 8705, RFC 7800: tokens that are bound to a key.

use super::RfcSetup;
use serde_json::json;

/// RFC 9449, 7.2: a DPoP-bound token is refused as a bearer token
#[tokio::test]
async fn section_7_2_dpop_bound_as_bearer() {
    let world = RfcSetup::new().await;
    let token = world
        .token()
        .claim(
            "cnf",
            json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        )
        .sign();
    assert_eq!(world.decide(&token).await, "proof.missing");
}

/// RFC 8705, 3: a certificate-bound token is refused without its certificate
#[tokio::test]
async fn section_3_certificate_bound_as_bearer() {
    let world = RfcSetup::new().await;
    let token = world
        .token()
        .claim(
            "cnf",
            json!({ "x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0" }),
        )
        .sign();
    assert_eq!(world.decide(&token).await, "proof.missing");
}

/// RFC 7800, 3.1: a confirmation that is not understood is not skipped
#[tokio::test]
async fn section_3_1_unknown_confirmations() {
    let world = RfcSetup::new().await;
    for cnf in [
        json!({ "kid": "x" }),
        json!({}),
        json!({ "jkt": "x", "other": "y" }),
    ] {
        assert_eq!(
            world.decide(&world.token().claim("cnf", cnf).sign()).await,
            "proof.unsupported"
        );
    }
    assert_eq!(
        world.decide(&world.token().claim("cnf", "x").sign()).await,
        "token.claim_type"
    );
}
