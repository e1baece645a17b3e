//! Tokens that say nothing, and what each provider answers about them.

use super::{LATER, NOW, assert_like, discover, form, service_token, sign_in, start, text};
use crate::json;
use portcullis_idp::{Dialect, Idp, TokenFormat};
use serde_json::{Value, json};

const SERVICE: &str = "client_id=service&client_secret=service-secret";

async fn ask(idp: &Idp, token: &str) -> Value {
    let metadata = discover(idp).await;
    let endpoint = text(&metadata, "introspection_endpoint");
    assert_eq!(endpoint, idp.introspection_endpoint());
    let (status, answer) = json(form(&endpoint, &format!("{SERVICE}&token={token}")).await).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn three_providers_hand_out_opaque_tokens() {
    let opaque: Vec<Dialect> = Dialect::ALL.to_vec();
    for dialect in opaque {
        let config = portcullis_idp::IdpConfig {
            dialect,
            algorithm: "ES256".to_owned(),
            ..Default::default()
        };
        let idp = super::start_with(config).await;
        let is_opaque = matches!(dialect, Dialect::Google | Dialect::Zitadel | Dialect::Hydra);
        assert_eq!(
            idp.access_token_format() == TokenFormat::Opaque,
            is_opaque,
            "{dialect}"
        );
        assert_eq!(
            idp.token("alice").issue().split('.').count() != 3,
            is_opaque,
            "{dialect}"
        );
        assert_eq!(idp.token("alice").sign().split('.').count(), 3, "{dialect}");
        // Both kinds are had whatever the provider does by itself, and introspection knows what was
        // issued.
        let token = idp.token("alice").scope("orders:read").opaque();
        let (_, answer) = json(
            form(
                &format!("{}/introspect", idp.base()),
                &format!("{SERVICE}&token={token}"),
            )
            .await,
        )
        .await;
        assert_eq!(
            (&answer["active"], &answer["scope"]),
            (&json!(true), &json!("orders:read")),
            "{dialect}"
        );
    }
}

#[tokio::test]
async fn zitadel_tells_roles_and_scopes() {
    let idp = start(Dialect::Zitadel).await;
    let token = text(&sign_in(&idp, "openid orders:read").await, "access_token");
    let roles = json!({ "Admin": { "100000000000000009": "org.example.test" } });
    let expected = json!({
        "active": true, "scope": "openid orders:read", "client_id": "web", "token_type": "Bearer", "username": "alice",
        "iss": "{base}", "sub": "136617405615037998", "aud": ["web", "100000000000000001"], "exp": LATER, "iat": NOW,
        "nbf": NOW, "jti": "1*", "urn:zitadel:iam:org:project:roles": roles,
        "urn:zitadel:iam:org:project:100000000000000001:roles": roles,
        "urn:zitadel:iam:user:resourceowner:id": "100000000000000009",
    });
    assert_like(&idp, &ask(&idp, &token).await, &expected);
    let userinfo = crate::client()
        .get(text(&discover(&idp).await, "userinfo_endpoint"))
        .bearer_auth(&token);
    let (_, userinfo) = json(userinfo.send().await.unwrap()).await;
    assert_eq!(userinfo["sub"], "136617405615037998");
}

#[tokio::test]
async fn hydra_asks_nobody_who_they_are() {
    let idp = start(Dialect::Hydra).await;
    let token = text(&sign_in(&idp, "openid orders:read").await, "access_token");
    assert!(
        token.starts_with("ory_at_") && token.matches('.').count() == 1,
        "{token}"
    );
    let expected = json!({
        "active": true, "aud": ["api://enterprise-api"], "client_id": "web", "exp": LATER,
        "ext": { "roles": ["Admin"] }, "iat": NOW, "iss": "{base}", "nbf": NOW, "scope": "openid orders:read",
        "sub": "2bd806c9-7f0e-00af-1a1f-c3328fa763a9", "token_type": "Bearer", "token_use": "access_token",
    });
    let admin = format!("{}/admin/oauth2/introspect", idp.base());
    assert_eq!(admin, idp.introspection_endpoint());
    assert!(
        discover(&idp).await["introspection_endpoint"].is_null(),
        "it is not for everybody"
    );
    let (status, answer) = json(form(&admin, &format!("token={token}")).await).await;
    assert_eq!(status, 200);
    assert_like(&idp, &answer, &expected);
    let anonymous = crate::client()
        .post(&admin)
        .header("accept", "application/token-introspection+jwt");
    let anonymous = anonymous.header("content-type", "application/x-www-form-urlencoded");
    let anonymous = anonymous
        .body(format!("token={token}"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        json(anonymous).await.1["active"],
        true,
        "a signed answer would be for nobody"
    );
    assert_eq!(
        form(
            &admin,
            &format!("token={token}&client_id=service&client_secret=x")
        )
        .await
        .status(),
        401
    );
    let elsewhere = form(
        &format!("{}/introspect", idp.base()),
        &format!("token={token}"),
    )
    .await;
    assert_eq!(elsewhere.status(), 400, "only there");
}

#[tokio::test]
async fn okta_and_keycloak_tell_of_their_jwts() {
    let idp = start(Dialect::Okta).await;
    let token = text(&sign_in(&idp, "openid orders:read").await, "access_token");
    let expected = json!({
        "active": true, "scope": "openid orders:read", "username": "alice@example.test", "exp": LATER, "iat": NOW,
        "sub": "alice@example.test", "aud": "api://enterprise-api", "iss": "{base}/oauth2/default", "jti": "AT.*",
        "token_type": "Bearer", "client_id": "web", "uid": "00u*",
    });
    assert_like(&idp, &ask(&idp, &token).await, &expected);
    let idp = start(Dialect::Keycloak).await;
    let answer = ask(&idp, &service_token(&idp, "orders:read").await).await;
    let told =
        ["active", "client_id", "username", "typ", "token_type"].map(|name| answer[name].clone());
    assert_eq!(
        told,
        [
            true.into(),
            "service".into(),
            "service-account-service".into(),
            "Bearer".into(),
            Value::from("Bearer")
        ]
    );
    assert_eq!(answer["realm_access"]["roles"], json!(["offline_access"]));
}

#[tokio::test]
async fn an_opaque_token_is_active_as_long_as_it_says() {
    let idp = start(Dialect::Zitadel).await;
    let active = async |token: String| ask(&idp, &token).await["active"].clone();
    assert_eq!(
        active(idp.token("alice").claim("exp", NOW + 1).opaque()).await,
        true
    );
    assert_eq!(
        active(idp.token("alice").claim("exp", NOW).opaque()).await,
        false
    );
    assert_eq!(active(idp.token("alice").expire().opaque()).await, false);
}

#[tokio::test]
async fn revocation_ends_an_opaque_token() {
    let idp = start(Dialect::Hydra).await;
    let token = text(&sign_in(&idp, "openid").await, "access_token");
    let revoke = text(&discover(&idp).await, "revocation_endpoint");
    assert_eq!(
        form(&revoke, &format!("client_id=web&token={token}"))
            .await
            .status(),
        200
    );
    let (_, answer) =
        json(form(&idp.introspection_endpoint(), &format!("token={token}")).await).await;
    assert_eq!(answer, json!({ "active": false }));
}
