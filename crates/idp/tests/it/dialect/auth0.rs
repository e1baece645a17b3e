//! Auth0, both profiles.

use super::{LATER, NOW, assert_token, discover, service_token, sign_in, start, text};
use portcullis_idp::Dialect;
use serde_json::json;

const ALICE: &str = "auth0|2bd806c97f0e00af1a1fc332";

#[tokio::test]
async fn its_own_profile() {
    let idp = start(Dialect::Auth0).await;
    assert_eq!(idp.issuer().as_str(), format!("{}/", idp.base()));
    let tokens = sign_in(&idp, "openid orders:read").await;
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "*" });
    let claims = json!({
        "iss": "{base}/", "sub": ALICE, "aud": ["api://enterprise-api", "{base}/userinfo"], "iat": NOW, "exp": LATER,
        "azp": "web", "scope": "openid orders:read", "permissions": ["Admin"], "https://example.test/roles": ["Admin"],
    });
    assert_token(&idp, &text(&tokens, "access_token"), header.clone(), claims).await;
    let claims = json!({
        "iss": "{base}/", "sub": ALICE, "aud": "web", "iat": NOW, "exp": LATER, "sid": "*", "name": "Alice Adams",
        "nickname": "alice", "email": "alice@example.test", "email_verified": true, "at_hash": "*", "nonce": "n-1",
        "https://example.test/roles": ["Admin"],
    });
    assert_token(&idp, &text(&tokens, "id_token"), header.clone(), claims).await;
    let claims = json!({
        "iss": "{base}/", "sub": "service@clients", "aud": "api://enterprise-api", "iat": NOW, "exp": LATER,
        "azp": "service", "gty": "client-credentials", "scope": "orders:read",
    });
    assert_token(
        &idp,
        &service_token(&idp, "orders:read").await,
        header,
        claims,
    )
    .await;
    assert_eq!(
        text(&discover(&idp).await, "jwks_uri"),
        format!("{}/.well-known/jwks.json", idp.base())
    );
}

#[tokio::test]
async fn the_profile_of_rfc_9068() {
    let idp = start(Dialect::Auth0Rfc9068).await;
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": "*" });
    let claims = json!({
        "iss": "{base}/", "sub": "service@clients", "aud": "api://enterprise-api", "iat": NOW, "exp": LATER,
        "scope": "orders:read", "client_id": "service", "jti": "*",
    });
    assert_token(
        &idp,
        &service_token(&idp, "orders:read").await,
        header.clone(),
        claims,
    )
    .await;
    let claims = json!({
        "iss": "{base}/", "sub": ALICE, "aud": "api://enterprise-api", "iat": NOW, "exp": LATER, "scope": "orders:read",
        "client_id": "web", "jti": "*", "permissions": ["Admin"], "https://example.test/roles": ["Admin"],
    });
    assert_token(
        &idp,
        &idp.token("alice").scope("orders:read").sign(),
        header,
        claims,
    )
    .await;
}
