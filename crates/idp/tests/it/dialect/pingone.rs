//! PingOne.

use super::{LATER, NOW, assert_token, part, service_token, sign_in, start, text};
use portcullis_idp::{Dialect, Overlap};
use serde_json::json;

const ENVIRONMENT: &str = "00000000-ffff-4000-8000-0000000000f1";
const ORGANIZATION: &str = "00000000-9999-4000-8000-000000000099";
const ALICE: &str = "2bd806c9-7f0e-00af-1a1f-c3328fa763a9";

#[tokio::test]
async fn tokens_of_a_user_and_of_a_service() {
    let idp = start(Dialect::PingOne).await;
    let tokens = sign_in(&idp, "openid orders:read").await;
    let header = json!({ "alg": "RS256", "kid": "default" });
    let claims = json!({
        "client_id": "web", "iss": "{base}/00000000-ffff-4000-8000-0000000000f1/as", "jti": "*", "iat": NOW,
        "exp": LATER, "aud": ["api://enterprise-api"], "scope": "openid orders:read", "sub": ALICE, "env": ENVIRONMENT,
        "org": ORGANIZATION, "sid": "*", "auth_time": NOW, "acr": "Single_Factor", "roles": ["Admin"],
    });
    assert_token(&idp, &text(&tokens, "access_token"), header.clone(), claims).await;
    let claims = json!({
        "iss": "{base}/00000000-ffff-4000-8000-0000000000f1/as", "jti": "*", "iat": NOW, "exp": LATER, "aud": "web",
        "sub": ALICE, "env": ENVIRONMENT, "org": ORGANIZATION, "sid": "*", "auth_time": NOW, "acr": "Single_Factor",
        "amr": ["pwd"], "at_hash": "*", "nonce": "n-1", "name": "Alice Adams", "preferred_username": "alice",
        "email": "alice@example.test",
    });
    assert_token(&idp, &text(&tokens, "id_token"), header.clone(), claims).await;
    let claims = json!({
        "client_id": "service", "iss": "{base}/00000000-ffff-4000-8000-0000000000f1/as", "jti": "*", "iat": NOW,
        "exp": LATER, "aud": ["api://enterprise-api"], "scope": "orders:read", "env": ENVIRONMENT, "org": ORGANIZATION,
    });
    assert_token(
        &idp,
        &service_token(&idp, "orders:read").await,
        header,
        claims,
    )
    .await;
}

#[tokio::test]
async fn only_the_first_key_has_the_obvious_name() {
    let idp = start(Dialect::PingOne).await;
    idp.rotate(Overlap::With).await;
    assert_ne!(part(&idp.token("alice").sign(), 0)["kid"], "default");
}
