//! Clients that are registered for one way to authenticate, and for some grants only; and those
//! believed everything.

use crate::key::Key;
use crate::{CALLBACK, authorize_query, client, json, post, with_client};
use portcullis_idp::{ClientAuthentication, Idp, IdpConfig, RegisteredClient, Secret};
use serde_json::json;

const ASSERTION: &str = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=";
const CLIENT_CREDENTIALS: &str = "grant_type=client_credentials";

fn assertion(key: &Key, idp: &Idp, jti: &str) -> String {
    let expires = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        + 60;
    let claims = json!({ "iss": "one", "sub": "one", "aud": idp.issuer().as_str(), "exp": expires, "jti": jti });
    key.sign(&json!({ "alg": "ES256" }), &claims)
}

#[tokio::test]
async fn a_client_authenticates_only_as_it_is_registered_to() {
    use ClientAuthentication::{ClientSecretBasic, ClientSecretPost, PrivateKeyJwt};
    let key = Key::new();
    for (method, expected) in [
        (Some(ClientSecretBasic), [200, 401, 401]),
        (Some(ClientSecretPost), [401, 200, 401]),
        (Some(PrivateKeyJwt), [401, 401, 200]),
        (None, [200, 200, 200]),
    ] {
        let one = RegisteredClient {
            id: "one".to_owned(),
            secret: Some(Secret::new("s")),
            jwks: Some(json!({ "keys": [Key::new().jwk, key.jwk] })),
            token_endpoint_auth_method: method,
            ..RegisteredClient::default()
        };
        let idp = Idp::start(with_client(one)).await.unwrap();
        let by_post = format!("{CLIENT_CREDENTIALS}&client_id=one&client_secret=s");
        let by_key = format!(
            "{CLIENT_CREDENTIALS}&{ASSERTION}{}",
            assertion(&key, &idp, "1")
        );
        let answers = [
            post(&idp, "/token", CLIENT_CREDENTIALS, Some(("one", "s")))
                .await
                .status()
                .as_u16(),
            post(&idp, "/token", &by_post, None)
                .await
                .status()
                .as_u16(),
            post(&idp, "/token", &by_key, None)
                .await
                .status()
                .as_u16(),
        ];
        assert_eq!(answers, expected, "{method:?}");
        let again = post(&idp, "/token", &by_key, None).await;
        assert_eq!(again.status(), 401, "an assertion is good once");
    }
}

#[tokio::test]
async fn a_client_uses_only_the_grants_it_is_registered_for() {
    let one = RegisteredClient {
        id: "one".to_owned(),
        secret: Some(Secret::new("s")),
        grant_types: vec!["refresh_token".to_owned()],
        redirect_uris: vec![CALLBACK.to_owned()],
        ..RegisteredClient::default()
    };
    let idp = Idp::start(with_client(one)).await.unwrap();
    let (status, body) =
        json(post(&idp, "/token", CLIENT_CREDENTIALS, Some(("one", "s"))).await).await;
    assert_eq!(
        (status, &body["error"]),
        (400, &json!("unauthorized_client"))
    );
    let query = authorize_query(&[("client_id", "one")]);
    let response = client()
        .get(format!("{}/authorize?{query}", idp.issuer()))
        .send()
        .await
        .unwrap();
    assert_eq!(
        crate::parameter(&response, "error").as_deref(),
        Some("unauthorized_client")
    );
    let (status, body) =
        json(post(&idp, "/device_authorization", "", Some(("one", "s"))).await).await;
    assert_eq!(
        (status, &body["error"]),
        (400, &json!("unauthorized_client"))
    );
}

#[tokio::test]
async fn settings_that_cannot_work_are_told() {
    for (toml, expected) in [
        (
            "id = \"a\"\ntoken_endpoint_auth_method = \"private_key_jwt\"\nsecret = \"s\"",
            "a method that the client has means for, found \"private_key_jwt\"",
        ),
        (
            "id = \"a\"\ntoken_endpoint_auth_method = \"none\"\nsecret = \"s\"",
            "a method that the client has means for, found \"none\"",
        ),
        ("id = \"a\"", "without one, it gets no token"),
        (
            "id = \"a\"\n[client.jwks]\nkeys = [{ kty = \"EC\", d = \"AA\" }]",
            "expected a public key, found a private one",
        ),
    ] {
        let config = IdpConfig::from_toml(&format!("[[client]]\n{toml}")).unwrap();
        let errors = Idp::start(config).await.unwrap_err().to_string();
        assert!(errors.contains(expected), "{toml}: {errors}");
    }
    assert!(
        IdpConfig::from_toml("[[client]]\nid = \"a\"\ntoken_endpoint_auth_method = \"magic\"")
            .is_err()
    );
}

#[tokio::test]
async fn any_client_is_believed_where_that_is_wanted() {
    let one = RegisteredClient {
        id: "one".to_owned(),
        claims: serde_json::from_value(json!({ "department": "sales", "aud": "api://sales" }))
            .unwrap(),
        secret: Some(Secret::new("s")),
        ..RegisteredClient::default()
    };
    let idp = Idp::start(IdpConfig {
        danger_any_client: true,
        ..with_client(one)
    })
    .await
    .unwrap();
    let form = format!("{CLIENT_CREDENTIALS}&scope=whatever&audience=api://anything");
    let (status, body) =
        json(post(&idp, "/token", &form, Some(("made-up", "made-up"))).await).await;
    assert_eq!(
        (status, &body["scope"]),
        (200, &json!("whatever")),
        "{body}"
    );
    let claims = crate::key::claims(body["access_token"].as_str().unwrap());
    assert_eq!(
        (&claims["sub"], &claims["aud"]),
        (&json!("made-up"), &json!("api://anything"))
    );
    let query = authorize_query(&[
        ("client_id", "made-up"),
        ("redirect_uri", "http://app.test/anywhere"),
    ]);
    let response = client()
        .get(format!("{}/authorize?{query}", idp.issuer()))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    // One that is configured is as it was.
    assert_eq!(
        post(&idp, "/token", CLIENT_CREDENTIALS, Some(("one", "wrong")))
            .await
            .status(),
        401
    );
    let (_, body) = json(post(&idp, "/token", CLIENT_CREDENTIALS, Some(("one", "s"))).await).await;
    let claims = crate::key::claims(body["access_token"].as_str().unwrap());
    assert_eq!(
        (&claims["department"], &claims["aud"]),
        (&json!("sales"), &json!("api://sales"))
    );
}
