//! Okta, a custom authorization server.

use super::{LATER, NOW, assert_token, fetch, service_token, sign_in, start, text};
use portcullis_idp::Dialect;
use serde_json::json;

#[tokio::test]
async fn tokens_of_a_user_and_of_a_service() {
    let idp = start(Dialect::Okta).await;
    let tokens = sign_in(&idp, "openid orders:read").await;
    let header = json!({ "kid": "*", "alg": "RS256" });
    let claims = json!({
        "ver": 1, "jti": "AT.*", "iss": "{base}/oauth2/default", "aud": "api://enterprise-api", "iat": NOW,
        "exp": LATER, "cid": "web", "uid": "00u*", "scp": ["openid", "orders:read"], "auth_time": NOW,
        "sub": "alice@example.test", "groups": ["Admin"],
    });
    assert_token(&idp, &text(&tokens, "access_token"), header.clone(), claims).await;
    let claims = json!({
        "ver": 1, "jti": "ID.*", "iss": "{base}/oauth2/default", "aud": "web", "iat": NOW, "exp": LATER, "sub": "00u*",
        "amr": ["pwd"], "idp": "00oEXAMPLE", "auth_time": NOW, "at_hash": "*", "nonce": "n-1", "name": "Alice Adams",
        "email": "alice@example.test", "preferred_username": "alice@example.test", "groups": ["Admin"],
    });
    assert_token(&idp, &text(&tokens, "id_token"), header.clone(), claims).await;
    let claims = json!({
        "ver": 1, "jti": "AT.*", "iss": "{base}/oauth2/default", "aud": "api://enterprise-api", "iat": NOW,
        "exp": LATER, "cid": "service", "scp": ["orders:read"], "sub": "service",
    });
    assert_token(
        &idp,
        &service_token(&idp, "orders:read").await,
        header,
        claims,
    )
    .await;
    let also = fetch(&format!(
        "{}/.well-known/oauth-authorization-server",
        idp.issuer()
    ))
    .await;
    assert_eq!(
        text(&also, "jwks_uri"),
        format!("{}/oauth2/default/v1/keys", idp.base())
    );
}
