//! ZITADEL, authentik, Ory Hydra, AD FS.

use super::{
    LATER, NOW, assert_token, discover, fetch, part, service_token, sign_in, start, start_with,
    text,
};
use portcullis_idp::{Dialect, Idp, IdpConfig, TokenFormat};
use serde_json::json;

async fn start_with_jwts(dialect: Dialect) -> Idp {
    let access_token_format = Some(TokenFormat::Jwt);
    start_with(IdpConfig {
        dialect,
        access_token_format,
        ..IdpConfig::default()
    })
    .await
}

#[tokio::test]
async fn zitadel() {
    let idp = start_with_jwts(Dialect::Zitadel).await;
    let tokens = sign_in(&idp, "openid orders:read").await;
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "*" });
    let roles = json!({ "Admin": { "100000000000000009": "org.example.test" } });
    let alice = "136617405615037998";
    let claims = json!({
        "iss": "{base}", "sub": alice, "aud": ["web", "100000000000000001"], "exp": LATER, "iat": NOW, "nbf": NOW,
        "jti": "1*", "client_id": "web", "urn:zitadel:iam:org:project:roles": roles,
        "urn:zitadel:iam:org:project:100000000000000001:roles": roles,
        "urn:zitadel:iam:user:resourceowner:id": "100000000000000009",
    });
    assert_token(&idp, &text(&tokens, "access_token"), header.clone(), claims).await;
    let claims = json!({
        "iss": "{base}", "sub": alice, "aud": ["100000000000000001", "web"], "azp": "web", "client_id": "web", "exp": LATER, "iat": NOW,
        "auth_time": NOW, "amr": ["pwd"], "at_hash": "*", "nonce": "n-1", "sid": "*", "name": "Alice Adams",
        "preferred_username": "alice@example.test", "email": "alice@example.test", "email_verified": true,
        "urn:zitadel:iam:org:project:roles": roles, "urn:zitadel:iam:org:project:100000000000000001:roles": roles,
    });
    assert_token(&idp, &text(&tokens, "id_token"), header.clone(), claims).await;
    let claims = json!({
        "iss": "{base}", "sub": "1*", "aud": ["service", "100000000000000001"], "exp": LATER, "iat": NOW, "nbf": NOW,
        "jti": "1*", "client_id": "service", "urn:zitadel:iam:user:resourceowner:id": "100000000000000009",
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
        format!("{}/oauth/v2/keys", idp.base())
    );
}

#[tokio::test]
async fn authentik() {
    let idp = start(Dialect::Authentik).await;
    assert_eq!(
        idp.issuer().as_str(),
        format!("{}/application/o/enterprise-api/", idp.base())
    );
    let tokens = sign_in(&idp, "openid orders:read").await;
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "*" });
    let alice = "2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90";
    let claims = json!({
        "iss": "{base}/application/o/enterprise-api/", "sub": alice, "aud": "web", "exp": LATER, "iat": NOW,
        "auth_time": NOW, "acr": "goauthentik.io/providers/oauth2/default", "amr": ["pwd"], "sid": "*",
        "name": "Alice Adams", "preferred_username": "alice", "nickname": "alice", "email": "alice@example.test",
        "email_verified": true, "groups": ["Admin"], "azp": "web", "uid": "*", "scope": "openid orders:read",
    });
    assert_token(&idp, &text(&tokens, "access_token"), header.clone(), claims).await;
    let claims = json!({
        "iss": "{base}/application/o/enterprise-api/", "sub": alice, "aud": "web", "exp": LATER, "iat": NOW,
        "auth_time": NOW, "acr": "goauthentik.io/providers/oauth2/default", "amr": ["pwd"], "sid": "*",
        "name": "Alice Adams", "preferred_username": "alice", "nickname": "alice", "email": "alice@example.test",
        "email_verified": true, "groups": ["Admin"], "nonce": "n-1", "at_hash": "*",
    });
    assert_token(&idp, &text(&tokens, "id_token"), header.clone(), claims).await;
    let claims = json!({
        "iss": "{base}/application/o/enterprise-api/", "sub": "*", "aud": "service", "exp": LATER, "iat": NOW,
        "auth_time": NOW, "acr": "goauthentik.io/providers/oauth2/default",
        "preferred_username": "ak-service-client_credentials", "nickname": "ak-service-client_credentials",
        "azp": "service", "uid": "*", "scope": "orders:read",
    });
    assert_token(
        &idp,
        &service_token(&idp, "orders:read").await,
        header,
        claims,
    )
    .await;
    let keys = text(&discover(&idp).await, "jwks_uri");
    assert_eq!(
        keys,
        format!("{}/application/o/enterprise-api/jwks/", idp.base())
    );
}

#[tokio::test]
async fn hydra() {
    let idp = start_with_jwts(Dialect::Hydra).await;
    let tokens = sign_in(&idp, "openid orders:read").await;
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "*" });
    let alice = "2bd806c9-7f0e-00af-1a1f-c3328fa763a9";
    let claims = json!({
        "aud": ["api://enterprise-api"], "client_id": "web", "exp": LATER, "ext": { "roles": ["Admin"] }, "iat": NOW,
        "iss": "{base}", "jti": "*", "nbf": NOW, "scp": ["openid", "orders:read"], "sub": alice,
    });
    let access = text(&tokens, "access_token");
    assert_token(&idp, &access, header.clone(), claims).await;
    let claims = json!({
        "aud": ["web"], "auth_time": NOW, "rat": NOW, "exp": LATER, "iat": NOW, "iss": "{base}", "jti": "*",
        "nonce": "n-1", "sid": "*", "at_hash": "*", "sub": alice, "name": "Alice Adams", "email": "alice@example.test",
    });
    let id_token = text(&tokens, "id_token");
    assert_token(&idp, &id_token, header.clone(), claims).await;
    assert_ne!(part(&access, 0)["kid"], part(&id_token, 0)["kid"]);
    let claims = json!({
        "aud": ["api://enterprise-api"], "client_id": "service", "exp": LATER, "ext": {}, "iat": NOW, "iss": "{base}",
        "jti": "*", "nbf": NOW, "scp": ["orders:read"], "sub": "service",
    });
    assert_token(
        &idp,
        &service_token(&idp, "orders:read").await,
        header,
        claims,
    )
    .await;
    let keys = fetch(&format!("{}/.well-known/jwks.json", idp.base())).await;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
}

/// The farm's identifier stands in access tokens, its address in ID tokens and metadata.
#[tokio::test]
async fn adfs() {
    let idp = start(Dialect::Adfs).await;
    assert_eq!(
        idp.issuer().as_str(),
        format!("{}/adfs/services/trust", idp.base())
    );
    let metadata = discover(&idp).await;
    assert_eq!(metadata["issuer"], format!("{}/adfs", idp.base()));
    assert_eq!(metadata["access_token_issuer"], idp.issuer().as_str());
    let tokens = sign_in(&idp, "openid orders:read").await;
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "*", "x5t": "*" });
    let user = json!({
        "aud": "microsoft:identityserver:enterprise-api", "iss": "{base}/adfs/services/trust",
        "iat": NOW, "nbf": NOW, "exp": LATER, "apptype": "Public", "appid": "web",
        "authmethod": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "ver": "1.0",
        "scp": "openid orders:read", "role": "Admin", "sub": "*", "upn": "alice@example.test", "unique_name": "EXAMPLE\\alice",
    });
    assert_token(&idp, &text(&tokens, "access_token"), header.clone(), user).await;
    let id_token = part(&text(&tokens, "id_token"), 1);
    assert_eq!(
        (&id_token["iss"], &id_token["aud"]),
        (&json!(format!("{}/adfs", idp.base())), &json!("web"))
    );
    let service = part(&service_token(&idp, "orders:read").await, 1);
    assert_eq!(
        (&service["apptype"], &service["appid"]),
        (&json!("Confidential"), &json!("service"))
    );
    assert!(service["sub"].is_null() && service["upn"].is_null());
}
