//! Keycloak.

use super::{LATER, NOW, assert_token, discover, fetch, service_token, sign_in, start, text};
use portcullis_idp::Dialect;
use serde_json::json;

const ALICE: &str = "2bd806c9-7f0e-00af-1a1f-c3328fa763a9";

#[tokio::test]
async fn tokens_of_a_user_and_of_a_service() {
    let idp = start(Dialect::Keycloak).await;
    let tokens = sign_in(&idp, "openid orders:read").await;
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "*" });
    let claims = json!({
        "exp": LATER, "iat": NOW, "auth_time": NOW, "jti": "*", "iss": "{base}/realms/acme",
        "aud": ["api://enterprise-api", "account"], "sub": ALICE, "typ": "Bearer", "azp": "web", "sid": "*", "acr": "1",
        "allowed-origins": ["http://127.0.0.1"], "realm_access": { "roles": ["Admin", "offline_access"] },
        "resource_access": { "account": { "roles": ["manage-account", "view-profile"] } },
        "scope": "openid orders:read", "name": "Alice Adams", "preferred_username": "alice",
        "email": "alice@example.test", "email_verified": true,
    });
    assert_token(&idp, &text(&tokens, "access_token"), header.clone(), claims).await;
    let claims = json!({
        "exp": LATER, "iat": NOW, "auth_time": NOW, "jti": "*", "iss": "{base}/realms/acme", "aud": "web", "sub": ALICE,
        "typ": "ID", "azp": "web", "sid": "*", "acr": "1", "nonce": "n-1", "at_hash": "*", "name": "Alice Adams",
        "preferred_username": "alice", "email": "alice@example.test", "email_verified": true,
    });
    assert_token(&idp, &text(&tokens, "id_token"), header.clone(), claims).await;
    let claims = json!({
        "exp": LATER, "iat": NOW, "jti": "*", "iss": "{base}/realms/acme", "aud": ["api://enterprise-api", "account"],
        "sub": "*", "typ": "Bearer", "azp": "service", "acr": "1", "allowed-origins": ["http://127.0.0.1"],
        "realm_access": { "roles": ["offline_access"] },
        "resource_access": { "account": { "roles": ["manage-account", "view-profile"] } }, "scope": "orders:read",
        "client_id": "service", "clientHost": "127.0.0.1", "clientAddress": "127.0.0.1",
        "preferred_username": "service-account-service",
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
async fn one_key_is_for_encryption_only() {
    let idp = start(Dialect::Keycloak).await;
    let metadata = discover(&idp).await;
    let place = format!("{}/realms/acme/protocol/openid-connect", idp.base());
    for (member, path) in [
        ("jwks_uri", "certs"),
        ("token_endpoint", "token"),
        ("introspection_endpoint", "token/introspect"),
    ] {
        assert_eq!(text(&metadata, member), format!("{place}/{path}"));
    }
    let keys = fetch(&text(&metadata, "jwks_uri")).await;
    let uses: Vec<_> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| (text(key, "use"), text(key, "alg")))
        .collect();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(uses, [pair("sig", "RS256"), pair("enc", "RSA-OAEP")]);
}
