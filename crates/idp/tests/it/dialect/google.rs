//! Google and Firebase: ID tokens as bearer tokens.

use super::{LATER, NOW, assert_token, discover, fetch, sign_in, start, start_with, text};
use crate::json;
use portcullis_idp::{Dialect, IdpConfig, TokenFormat};
use serde_json::json;

#[tokio::test]
async fn access_tokens_are_opaque_and_id_tokens_are_not() {
    let idp = start(Dialect::Google).await;
    let tokens = sign_in(&idp, "openid email").await;
    let access = text(&tokens, "access_token");
    assert!(access.starts_with("ya29."), "{access}");
    let header = json!({ "alg": "RS256", "kid": "*", "typ": "JWT" });
    let claims = json!({
        "iss": "{base}", "azp": "web", "aud": "web", "sub": "136617405615037998150", "hd": "example.test",
        "email": "alice@example.test", "email_verified": true, "at_hash": "*", "nonce": "n-1", "name": "Alice Adams",
        "iat": NOW, "exp": LATER,
    });
    assert_token(&idp, &text(&tokens, "id_token"), header.clone(), claims).await;
    let claims = json!({
        "iss": "{base}", "azp": "1*", "aud": "api://x", "sub": "1*", "email": "service@example.iam.gserviceaccount.test",
        "email_verified": true, "iat": NOW, "exp": LATER,
    });
    assert_token(
        &idp,
        &idp.token("service").audience("api://x").sign(),
        header,
        claims,
    )
    .await;
    assert!(discover(&idp).await["introspection_endpoint"].is_null());
}

#[tokio::test]
async fn tokeninfo_is_not_introspection() {
    let idp = start(Dialect::Google).await;
    let token = text(&sign_in(&idp, "openid email").await, "access_token");
    let told = fetch(&format!("{}/tokeninfo?access_token={token}", idp.base())).await;
    let expected = json!({
        "azp": "web", "aud": "web", "sub": "136617405615037998150", "scope": "openid email", "exp": "1800003600",
        "expires_in": "3600", "email": "alice@example.test", "email_verified": "true", "access_type": "online",
    });
    assert_eq!(told, expected);
    let unknown = reqwest::get(format!("{}/tokeninfo?access_token=made-up", idp.base()))
        .await
        .unwrap();
    assert_eq!(json(unknown).await.0, 400);
}

#[tokio::test]
async fn a_setting_makes_jwts_of_them() {
    let config = IdpConfig {
        access_token_format: Some(TokenFormat::Jwt),
        ..IdpConfig::default()
    };
    let idp = start_with(IdpConfig {
        dialect: Dialect::Google,
        ..config
    })
    .await;
    let token = text(&sign_in(&idp, "openid").await, "access_token");
    assert_eq!(super::part(&token, 1)["hd"], "example.test");
}

#[tokio::test]
async fn firebase_is_for_a_project() {
    let idp = start(Dialect::Firebase).await;
    let header = json!({ "alg": "RS256", "kid": "*", "typ": "JWT" });
    let claims = json!({
        "iss": "{base}/example-project", "aud": "example-project", "auth_time": NOW, "user_id": "*", "sub": "*",
        "iat": NOW, "exp": LATER, "name": "Alice Adams", "email": "alice@example.test", "email_verified": true,
        "firebase": { "identities": { "email": ["alice@example.test"] }, "sign_in_provider": "password" },
        "roles": ["Admin"],
    });
    let token = idp.token("alice").sign();
    assert_token(&idp, &token, header, claims).await;
    let claims = super::part(&token, 1);
    assert_eq!(
        (&claims["sub"], text(&claims, "sub").len()),
        (&claims["user_id"], 28)
    );
    let metadata = discover(&idp).await;
    assert!(text(&metadata, "jwks_uri").ends_with("/jwk/securetoken@system.gserviceaccount.com"));
    assert!(metadata["token_endpoint"].is_null());
}
