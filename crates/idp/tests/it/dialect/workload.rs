//! Kubernetes and Cloudflare Access.

use super::{LATER, NOW, assert_token, assert_token_by, discover, fetch, start, text};
use portcullis_idp::Dialect;
use serde_json::json;

#[tokio::test]
async fn kubernetes() {
    let idp = start(Dialect::Kubernetes).await;
    let header = json!({ "alg": "RS256", "kid": "*" });
    let claims = json!({
        "aud": ["api://enterprise-api"], "exp": LATER, "iat": NOW, "iss": "{base}", "jti": "*",
        "kubernetes.io": {
            "namespace": "shop", "node": { "name": "node-1", "uid": "*" }, "pod": { "name": "orders-0", "uid": "*" },
            "serviceaccount": { "name": "orders", "uid": "*" }, "warnafter": NOW + 3_607,
        },
        "nbf": NOW, "sub": "system:serviceaccount:shop:orders",
    });
    assert_token(&idp, &idp.token("orders").sign(), header, claims).await;
    let metadata = discover(&idp).await;
    assert_eq!(
        text(&metadata, "jwks_uri"),
        format!("{}/openid/v1/jwks", idp.base())
    );
    let expected = [
        "id_token_signing_alg_values_supported",
        "issuer",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
    ];
    assert_eq!(crate::members(&metadata), expected);
}

#[tokio::test]
async fn cloudflare_access() {
    let idp = start(Dialect::Cloudflare).await;
    let keys = format!("{}/cdn-cgi/access/certs", idp.base());
    let header = json!({ "alg": "RS256", "kid": "*", "typ": "JWT" });
    let claims = json!({
        "aud": ["ffbbe707da9cdc960ae3909fc6b832b26ade45183bc6a8cd180b32a0edd3931f"], "email": "alice@example.test", "exp": LATER, "iat": NOW, "nbf": NOW, "iss": "{base}",
        "type": "app", "identity_nonce": "*", "sub": "2bd806c9-7f0e-00af-1a1f-c3328fa763a9", "country": "DE",
        "custom": { "roles": ["Admin"] },
    });

    assert_token_by(
        &idp,
        &keys,
        &idp.token("alice").sign(),
        header.clone(),
        claims,
    )
    .await;
    let claims = json!({
        "aud": ["tag"], "exp": LATER, "iat": NOW, "iss": "{base}", "type": "app", "common_name": "service.access",
        "sub": "",
    });
    assert_token_by(
        &idp,
        &keys,
        &idp.token("service").audience("tag").sign(),
        header,
        claims,
    )
    .await;
    let document = fetch(&keys).await;
    assert_eq!(
        crate::members(&document),
        ["keys", "public_cert", "public_certs"]
    );
    assert_eq!(idp.metadata_uri(), None);
    let none = reqwest::get(format!("{}/.well-known/openid-configuration", idp.base()))
        .await
        .unwrap();
    assert_eq!(none.status(), 404);
}
