//! Microsoft Entra ID: both versions, and the documents for every tenant.

use super::{
    LATER, NOW, assert_token, discover, fetch, part, read, service_token, sign_in, start,
    start_with, text,
};
use portcullis_idp::{Dialect, IdpConfig};
use serde_json::{Value, json};

const TENANT: &str = "00000000-1111-4000-8000-000000000001";
const ALICE: &str = "2bd806c9-7f0e-00af-1a1f-c3328fa763a9";

#[tokio::test]
async fn version_2_of_a_user() {
    let idp = start(Dialect::Entra).await;
    assert_eq!(
        idp.issuer().as_str(),
        format!("{}/{TENANT}/v2.0", idp.base())
    );
    let tokens = sign_in(
        &idp,
        "openid api://enterprise-api/orders:read api://enterprise-api/orders:write",
    )
    .await;
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "*" });
    let claims = json!({
        "aud": "00000000-aaaa-4000-8000-0000000000a1",
        "iss": "{base}/00000000-1111-4000-8000-000000000001/v2.0",
        "iat": NOW, "nbf": NOW, "exp": LATER, "azp": "web", "azpacr": "0", "oid": ALICE, "sub": "*",
        "tid": TENANT, "scp": "openid orders:read orders:write", "roles": ["Admin"], "name": "Alice Adams",
        "preferred_username": "alice@example.test", "uti": "*", "rh": "0.*", "ver": "2.0", "sid": "*",
    });
    let access = text(&tokens, "access_token");
    assert_token(&idp, &access, header.clone(), claims).await;
    assert_ne!(part(&access, 1)["sub"], ALICE, "pairwise");
    let claims = json!({
        "aud": "web", "iss": "{base}/00000000-1111-4000-8000-000000000001/v2.0", "iat": NOW, "nbf": NOW, "exp": LATER,
        "oid": ALICE, "sub": "*", "tid": TENANT, "roles": ["Admin"], "name": "Alice Adams", "nonce": "n-1",
        "email": "alice@example.test", "preferred_username": "alice@example.test", "uti": "*", "rh": "0.*",
        "ver": "2.0", "sid": "*",
    });
    assert_token(&idp, &text(&tokens, "id_token"), header, claims).await;
}

#[tokio::test]
async fn version_2_of_an_application() {
    let idp = start(Dialect::Entra).await;
    let token = service_token(&idp, "api://enterprise-api/.default").await;
    let claims = json!({
        "aud": "00000000-aaaa-4000-8000-0000000000a1",
        "iss": "{base}/00000000-1111-4000-8000-000000000001/v2.0",
        "iat": NOW, "nbf": NOW, "exp": LATER, "azp": "service", "azpacr": "1", "idtyp": "app", "oid": "*", "sub": "*",
        "tid": TENANT, "roles": ["orders:read", "orders:write"], "uti": "*", "rh": "0.*", "ver": "2.0",
    });
    assert_token(
        &idp,
        &token,
        json!({ "typ": "JWT", "alg": "RS256", "kid": "*" }),
        claims,
    )
    .await;
    let claims = part(&token, 1);
    assert_eq!(claims["oid"], claims["sub"]);
}

#[tokio::test]
async fn version_1_of_a_user_and_of_an_application() {
    let idp = start(Dialect::EntraV1).await;
    assert_eq!(idp.issuer().as_str(), format!("{}/{TENANT}/", idp.base()));
    let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": "*", "kid": "*" });
    let claims = json!({
        "aud": "api://enterprise-api", "iss": "{base}/00000000-1111-4000-8000-000000000001/", "iat": NOW, "nbf": NOW,
        "exp": LATER, "acr": "1", "amr": ["pwd"], "appid": "web", "appidacr": "0", "name": "Alice Adams", "oid": ALICE,
        "sub": "*", "scp": "access_as_user", "roles": ["Admin"], "tid": TENANT, "unique_name": "alice@example.test",
        "upn": "alice@example.test", "uti": "*", "rh": "0.*", "ver": "1.0", "sid": "*",
    });
    let token = idp.token("alice").sign();
    assert_eq!(part(&token, 0)["x5t"], part(&token, 0)["kid"]);
    assert_token(&idp, &token, header.clone(), claims).await;
    let claims = json!({
        "aud": "api://enterprise-api", "iss": "{base}/00000000-1111-4000-8000-000000000001/", "iat": NOW, "nbf": NOW,
        "exp": LATER, "appid": "service", "appidacr": "1", "idtyp": "app", "oid": "*", "sub": "*", "tid": TENANT,
        "roles": ["read:users"], "uti": "*", "rh": "0.*", "ver": "1.0",
    });
    assert_token(
        &idp,
        &idp.token("service").role("read:users").sign(),
        header,
        claims,
    )
    .await;
}

#[tokio::test]
async fn the_documents_for_every_tenant_hold_a_template() {
    let mut config = IdpConfig {
        dialect: Dialect::Entra,
        ..IdpConfig::default()
    };
    config.users[1].tenant = Some("00000000-1111-4000-8000-000000000002".to_owned());
    let idp = start_with(config).await;
    for place in ["common", "organizations"] {
        let metadata = fetch(&format!(
            "{}/{place}/v2.0/.well-known/openid-configuration",
            idp.base()
        ))
        .await;
        assert_eq!(
            metadata["issuer"],
            format!("{}/{{tenantid}}/v2.0", idp.base())
        );
        let keys = text(&metadata, "jwks_uri");
        assert_eq!(keys, format!("{}/{place}/discovery/v2.0/keys", idp.base()));
        let keys = fetch(&keys).await;
        let issuers: Vec<&str> = members(&keys)
            .map(|key| key["issuer"].as_str().unwrap())
            .collect();
        let consumers = format!("{}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", idp.base());
        assert_eq!(
            issuers,
            [&format!("{}/{{tenantid}}/v2.0", idp.base()), &consumers]
        );
        for key in members(&keys) {
            assert!(
                key["alg"].is_null() && key["x5t"] == key["kid"] && key["use"] == "sig",
                "{key}"
            );
        }
    }
    // Each tenant has its own documents; one set of keys signs for all.
    let bob = idp.token("bob").sign();
    let issuer = format!("{}/00000000-1111-4000-8000-000000000002/v2.0", idp.base());
    let metadata = fetch(&format!("{issuer}/.well-known/openid-configuration")).await;
    assert_eq!(metadata["issuer"], issuer);
    let (_, claims) = read(metadata["jwks_uri"].as_str().unwrap(), &bob).await;
    assert_eq!(
        (&claims["iss"], &claims["tid"]),
        (
            &json!(issuer),
            &json!("00000000-1111-4000-8000-000000000002")
        )
    );
    let stranger = format!("{}/00000000-1111-4000-8000-000000000003/v2.0", idp.base());
    let stranger = reqwest::get(format!("{stranger}/.well-known/openid-configuration"))
        .await
        .unwrap();
    assert_eq!(stranger.status(), 404);
}

#[tokio::test]
async fn a_key_may_be_another_tenants() {
    let idp = start(Dialect::Entra).await;
    let token = idp.token("alice").key_of_another_tenant().await.sign();
    let keys = format!("{}/common/discovery/v2.0/keys", idp.base());
    let (header, _) = read(&keys, &token).await;
    let keys = fetch(&keys).await;
    let key = members(&keys)
        .find(|key| key["kid"] == header["kid"])
        .unwrap();
    assert!(text(key, "issuer").contains("9188040d-6c67-4c5b-b112-36a304b66dad"));
    // Nobody else has such a key: there the signature is simply wrong.
    let idp = start(Dialect::Okta).await;
    let token = idp.token("alice").key_of_another_tenant().await.sign();
    let good = idp.token("alice").sign();
    assert_eq!(part(&token, 0), part(&good, 0));
    let metadata = discover(&idp).await;
    let keys: jsonwebtoken::jwk::JwkSet =
        serde_json::from_value(fetch(metadata["jwks_uri"].as_str().unwrap()).await).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(&keys.keys[0]).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let good = jsonwebtoken::crypto::verify(
        signature,
        message.as_bytes(),
        &key,
        jsonwebtoken::Algorithm::RS256,
    );
    assert!(!good.unwrap());
}

#[tokio::test]
async fn too_many_groups_are_none() {
    let mut config = IdpConfig {
        dialect: Dialect::Entra,
        ..IdpConfig::default()
    };
    config.users[0].groups = (0..200)
        .map(|number| format!("group-{number}"))
        .collect();
    config.users[1].groups = (0..201)
        .map(|number| format!("group-{number}"))
        .collect();
    let idp = start_with(config).await;
    let alice = part(&idp.token("alice").sign(), 1);
    assert_eq!(alice["groups"].as_array().unwrap().len(), 200);
    assert!(alice["_claim_names"].is_null());
    for token in [
        idp.token("bob").sign(),
        idp.token("alice").group_overage().sign(),
    ] {
        let claims = part(&token, 1);
        let oid = claims["oid"].as_str().unwrap();
        let endpoint = format!("https://graph.windows.net/{TENANT}/users/{oid}/getMemberObjects");
        assert!(claims["groups"].is_null());
        assert_eq!(claims["_claim_names"], json!({ "groups": "src1" }));
        assert_eq!(
            claims["_claim_sources"],
            json!({ "src1": { "endpoint": endpoint } })
        );
    }
}

fn members(keys: &Value) -> impl Iterator<Item = &Value> {
    keys["keys"].as_array().unwrap().iter()
}
