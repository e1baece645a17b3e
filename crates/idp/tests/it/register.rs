//! Dynamic client registration (RFC 7591) and its management (RFC 7592).

use crate::key::Key;
use crate::{CALLBACK, authorize_query, client, code_form, json, parameter, post};
use portcullis_idp::{Idp, IdpConfig};
use serde_json::{Value, json};

async fn started() -> Idp {
    Idp::start(IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    })
    .await
    .unwrap()
}

async fn register(idp: &Idp, metadata: &Value) -> (u16, Value) {
    send(
        idp,
        "POST",
        &format!("{}/register", idp.issuer()),
        "",
        Some(metadata),
    )
    .await
}

async fn send(
    idp: &Idp,
    method: &str,
    url: &str,
    token: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    assert!(url.starts_with(idp.issuer().as_str()));
    let request = client().request(method.parse().unwrap(), url);
    let request = if token.is_empty() {
        request
    } else {
        request.bearer_auth(token)
    };
    let request = match body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(body.to_string()),
        None => request,
    };
    json(request.send().await.unwrap()).await
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

#[tokio::test]
async fn a_client_registers_and_signs_a_user_in() {
    let idp = started().await;
    let (status, answer) = register(
        &idp,
        &json!({ "redirect_uris": [CALLBACK], "client_name": "An app" }),
    )
    .await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(
        text(&answer, "token_endpoint_auth_method"),
        "client_secret_basic"
    );
    assert_eq!(
        (&answer["grant_types"], &answer["response_types"]),
        (&json!(["authorization_code"]), &json!(["code"]))
    );
    assert_eq!(
        (&answer["client_secret_expires_at"], &answer["scope"]),
        (&json!(0), &json!("orders:read orders:write"))
    );
    assert!(answer["client_id_issued_at"].is_u64());
    let (id, secret) = (text(&answer, "client_id"), text(&answer, "client_secret"));
    let path = format!("/authorize?{}", authorize_query(&[("client_id", id)]));
    let response = post(&idp, &path, "username=alice&password=alice", None).await;
    let form = code_form(&parameter(&response, "code").unwrap()).replace("&client_id=web", "");
    let (status, tokens) = json(post(&idp, "/token", &form, Some((id, secret))).await).await;
    assert_eq!(status, 200, "{tokens}");
    assert!(
        tokens["refresh_token"].is_null(),
        "it did not register for that"
    );
    assert_eq!(
        post(
            &idp,
            "/token",
            "grant_type=client_credentials",
            Some((id, secret))
        )
        .await
        .status(),
        400
    );
}

#[tokio::test]
async fn a_client_registers_with_a_key_or_with_nothing() {
    let idp = started().await;
    let key = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials"],
        "jwks": { "keys": [Key::new().jwk] },
    });
    let (status, answer) = register(&idp, &key).await;
    assert_eq!(
        (status, &answer["client_secret"], &answer["response_types"]),
        (201, &Value::Null, &json!([]))
    );
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let nothing =
        json!({ "token_endpoint_auth_method": "none", "grant_types": [device, "refresh_token"] });
    let (status, answer) = register(&idp, &nothing).await;
    assert_eq!(status, 201, "{answer}");
    let form = format!("client_id={}", text(&answer, "client_id"));
    assert_eq!(
        post(&idp, "/device_authorization", &form, None)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn registrations_that_make_no_sense() {
    let idp = started().await;
    let mut private = Key::new().jwk;
    private["d"] = json!("AA");
    for (metadata, error) in [
        (json!({}), "invalid_redirect_uri"),
        (
            json!({ "redirect_uris": ["http://app.example/"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uris": [CALLBACK, "javascript:alert(1)"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uris": vec![CALLBACK; 33] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uris": [CALLBACK], "post_logout_redirect_uris": ["https://a.example/#x"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uris": CALLBACK }),
            "invalid_client_metadata",
        ),
        (json!([]), "invalid_client_metadata"),
        (
            json!({ "redirect_uris": [CALLBACK], "grant_types": ["password"] }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": [CALLBACK], "response_types": ["token"] }),
            "invalid_client_metadata",
        ),
        (
            json!({ "grant_types": ["client_credentials"], "response_types": ["code"] }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_jwt" }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt" }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": [CALLBACK], "jwks": { "keys": [private] } }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": [CALLBACK], "jwks_uri": "https://a.example/" }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": [CALLBACK], "scope": "everything" }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": [CALLBACK], "backchannel_logout_uri": "http://a.example/" }),
            "invalid_client_metadata",
        ),
    ] {
        let (status, body) = register(&idp, &metadata).await;
        assert_eq!((status, &body["error"]), (400, &json!(error)), "{metadata}");
    }
    let form = client()
        .post(format!("{}/register", idp.issuer()))
        .header("content-type", "text/plain");
    let response = form
        .body(json!({ "redirect_uris": [CALLBACK] }).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(
        response.status(),
        400,
        "another site's form could send that"
    );
}

#[tokio::test]
async fn a_client_reads_changes_and_removes_itself() {
    let idp = started().await;
    let (_, first) = register(
        &idp,
        &json!({ "redirect_uris": [CALLBACK], "scope": "openid orders:read" }),
    )
    .await;
    let (_, other) = register(&idp, &json!({ "redirect_uris": [CALLBACK] })).await;
    let (url, token) = (
        text(&first, "registration_client_uri"),
        text(&first, "registration_access_token"),
    );
    assert_eq!(
        send(&idp, "GET", url, token, None).await,
        (200, first.clone())
    );
    for wrong in ["", "made-up", text(&other, "registration_access_token")] {
        assert_eq!(send(&idp, "GET", url, wrong, None).await.0, 401);
    }
    let id = text(&first, "client_id");
    let changed = json!({ "client_id": id, "redirect_uris": ["https://app.example/cb"], "dpop_bound_access_tokens": true });
    let (status, answer) = send(&idp, "PUT", url, token, Some(&changed)).await;
    assert_eq!(status, 200, "{answer}");
    let told = ["redirect_uris", "dpop_bound_access_tokens", "client_secret"]
        .map(|name| answer[name].clone());
    assert_eq!(
        told,
        [
            json!(["https://app.example/cb"]),
            json!(true),
            first["client_secret"].clone()
        ]
    );
    for wrong in [
        json!({ "redirect_uris": [CALLBACK] }),
        json!({ "client_id": "web", "redirect_uris": [CALLBACK] }),
        json!({ "client_id": id, "client_secret": "another", "redirect_uris": [CALLBACK] }),
        json!({ "client_id": id, "redirect_uris": ["http://app.example/"] }),
    ] {
        assert_eq!(
            send(&idp, "PUT", url, token, Some(&wrong)).await.0,
            400,
            "{wrong}"
        );
    }
    assert_eq!(send(&idp, "DELETE", url, token, None).await.0, 204);
    assert_eq!(send(&idp, "GET", url, token, None).await.0, 401);
    let path = format!("/authorize?{}", authorize_query(&[("client_id", id)]));
    assert_eq!(
        client()
            .get(format!("{}{path}", idp.issuer()))
            .send()
            .await
            .unwrap()
            .status(),
        400
    );
    let web = format!("{}/register/web", idp.issuer());
    assert_eq!(
        send(&idp, "DELETE", &web, token, None).await.0,
        401,
        "one that did not register"
    );
}

#[tokio::test]
async fn registration_can_be_off() {
    let config = IdpConfig {
        dynamic_registration: false,
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    };
    let idp = Idp::start(config).await.unwrap();
    assert_eq!(
        register(&idp, &json!({ "redirect_uris": [CALLBACK] }))
            .await
            .0,
        404
    );
    let (_, document) = json(
        reqwest::get(idp.metadata_uri().unwrap())
            .await
            .unwrap(),
    )
    .await;
    assert!(document["registration_endpoint"].is_null());
}
