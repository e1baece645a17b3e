//! Nobody in particular: RFC 9068.

use super::{LATER, NOW, assert_token, discover, sign_in, start, text};
use portcullis_idp::{Dialect, IdpConfig};
use serde_json::json;

#[tokio::test]
async fn the_tokens_of_one_signing_in() {
    let idp = start(Dialect::Generic).await;
    let tokens = sign_in(&idp, "openid orders:read").await;
    let alice = "2bd806c9-7f0e-00af-1a1f-c3328fa763a9";
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": "*" });
    let claims = json!({
        "iss": "{base}", "aud": "api://enterprise-api", "client_id": "web", "iat": NOW, "exp": LATER, "jti": "*",
        "sub": alice, "oid": alice, "name": "Alice Adams", "preferred_username": "alice",
        "email": "alice@example.test", "roles": ["Admin"], "scope": "openid orders:read", "auth_time": NOW, "sid": "*",
    });
    assert_token(&idp, &text(&tokens, "access_token"), header, claims).await;
    let claims = json!({
        "iss": "{base}", "aud": "web", "azp": "web", "iat": NOW, "exp": LATER, "jti": "*", "sub": alice, "oid": alice,
        "name": "Alice Adams", "preferred_username": "alice", "email": "alice@example.test", "roles": ["Admin"],
        "auth_time": NOW, "at_hash": "*", "nonce": "n-1", "sid": "*",
    });
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "*" });
    assert_token(&idp, &text(&tokens, "id_token"), header, claims).await;
}

#[tokio::test]
async fn the_session_is_the_grants_and_outlives_a_refresh() {
    let idp = start(Dialect::Generic).await;
    let first = sign_in(&idp, "openid").await;
    let refresh = format!(
        "grant_type=refresh_token&client_id=web&refresh_token={}",
        text(&first, "refresh_token")
    );
    let answer = super::form(&idp.token_endpoint(), &refresh).await;
    let (_, second) = crate::json(answer).await;
    let session = |token: String| super::part(&token, 1)["sid"].clone();
    let sid = session(text(&first, "access_token"));
    assert!(sid.is_string());
    for token in [
        text(&first, "id_token"),
        text(&second, "access_token"),
        text(&second, "id_token"),
    ] {
        assert_eq!(session(token), sid);
    }
    assert_ne!(
        session(text(&sign_in(&idp, "openid").await, "access_token")),
        sid,
        "another signing in"
    );
}

#[tokio::test]
async fn a_service_has_no_person_and_a_user_has_groups_and_a_tenant() {
    let mut config = IdpConfig {
        tenant: Some("t-1".to_owned()),
        ..IdpConfig::default()
    };
    config.users[1].groups = vec!["g-1".to_owned()];
    let idp = super::start_with(config).await;
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": "*" });
    let claims = json!({
        "iss": "{base}", "aud": "api://enterprise-api", "client_id": "service", "iat": NOW, "exp": LATER, "jti": "*",
        "sub": "service",
    });
    assert_token(&idp, &idp.token("service").sign(), header, claims).await;
    let bob = super::part(&idp.token("bob").sign(), 1);
    assert_eq!(
        (&bob["tid"], &bob["groups"], &bob["roles"]),
        (&json!("t-1"), &json!(["g-1"]), &json!([]))
    );
    assert_eq!(
        discover(&idp).await["scopes_supported"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
}
