//! Amazon Cognito user pools.

use super::{LATER, NOW, assert_token, fetch, part, service_token, sign_in, start, text};
use portcullis_idp::Dialect;
use serde_json::json;

const ALICE: &str = "2bd806c9-7f0e-00af-1a1f-c3328fa763a9";

#[tokio::test]
async fn tokens_of_a_user_and_of_a_service() {
    let idp = start(Dialect::Cognito).await;
    let tokens = sign_in(&idp, "enterprise-api/orders:read openid").await;
    let header = json!({ "kid": "*=", "alg": "RS256" });
    let claims = json!({
        "sub": ALICE, "cognito:groups": ["Admin"], "iss": "{base}/eu-west-1_EXAMPLE", "version": 2, "client_id": "web",
        "origin_jti": "*", "event_id": "*", "token_use": "access", "scope": "enterprise-api/orders:read openid",
        "auth_time": NOW, "exp": LATER, "iat": NOW, "jti": "*", "username": "alice",
    });
    let access = text(&tokens, "access_token");
    assert_token(&idp, &access, header.clone(), claims).await;
    let claims = json!({
        "sub": ALICE, "cognito:groups": ["Admin"], "iss": "{base}/eu-west-1_EXAMPLE", "cognito:username": "alice",
        "origin_jti": "*", "event_id": "*", "aud": "web", "token_use": "id", "auth_time": NOW, "exp": LATER, "iat": NOW,
        "jti": "*", "name": "Alice Adams", "email": "alice@example.test", "email_verified": true, "nonce": "n-1",
        "at_hash": "*",
    });
    let id_token = text(&tokens, "id_token");
    assert_token(&idp, &id_token, header.clone(), claims).await;
    assert_ne!(
        part(&access, 0)["kid"],
        part(&id_token, 0)["kid"],
        "a key for each"
    );
    assert_eq!(
        part(&access, 1)["origin_jti"],
        part(&id_token, 1)["origin_jti"],
        "one session"
    );
    let claims = json!({
        "sub": "service", "iss": "{base}/eu-west-1_EXAMPLE", "version": 2, "client_id": "service",
        "token_use": "access", "scope": "enterprise-api/orders:read", "auth_time": NOW, "exp": LATER, "iat": NOW,
        "jti": "*",
    });
    assert_token(
        &idp,
        &service_token(&idp, "enterprise-api/orders:read").await,
        header,
        claims,
    )
    .await;
    let keys = fetch(&format!(
        "{}/eu-west-1_EXAMPLE/.well-known/jwks.json",
        idp.base()
    ))
    .await;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_audience_is_the_client() {
    let idp = start(Dialect::Cognito).await;
    assert_eq!(
        (idp.audience(), idp.audiences()),
        ("web", vec!["web".to_owned(), "service".to_owned()])
    );
    let claims = part(&idp.token("alice").audience("other").sign(), 1);
    assert!(claims["aud"].is_null());
    assert_eq!(
        (&claims["client_id"], &claims["scope"]),
        (&json!("other"), &json!("aws.cognito.signin.user.admin"))
    );
}
