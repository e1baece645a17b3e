//! Pushed authorization requests (RFC 9126).

use crate::{SERVICE, authorize_query, client, clock, json, parameter, post, with_client};
use portcullis_idp::{Idp, RegisteredClient};
use serde_json::{Value, json};
use std::sync::atomic::Ordering::SeqCst;

async fn push(idp: &Idp, change: &[(&str, &str)]) -> (u16, Value) {
    json(post(idp, "/par", &authorize_query(change), None).await).await
}

fn path(client: &str, pushed: &Value) -> String {
    let uri = pushed["request_uri"].as_str().unwrap();
    format!(
        "/authorize?client_id={client}&request_uri={}",
        uri.replace(':', "%3A")
    )
}

async fn show(idp: &Idp, path: &str) -> reqwest::Response {
    client()
        .get(format!("{}{path}", idp.issuer()))
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn what_was_pushed_is_what_is_asked_and_is_answered_once() {
    let (time, clock) = clock();
    let idp = Idp::start_at(with_client(other()), clock)
        .await
        .unwrap();
    let (status, pushed) = push(&idp, &[]).await;
    assert_eq!(
        (status, &pushed["expires_in"]),
        (201, &json!(120)),
        "{pushed}"
    );
    let right = path("web", &pushed);
    let page = show(&idp, &right).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("orders:read"));
    assert_eq!(
        show(&idp, &path("pusher", &pushed)).await.status(),
        400,
        "another client's"
    );
    // What stands beside it in the browser's address does not count.
    let changed = format!("{right}&scope=orders:write&redirect_uri=https://evil.example/");
    let response = post(&idp, &changed, "username=alice&password=alice", None).await;
    assert_eq!(response.status(), 303);
    assert_eq!(parameter(&response, "state").as_deref(), Some("x y"));
    let code = parameter(&response, "code").unwrap();
    let (status, tokens) = json(post(&idp, "/token", &crate::code_form(&code), None).await).await;
    assert_eq!(
        (status, &tokens["scope"]),
        (200, &json!("openid orders:read"))
    );
    assert_eq!(
        post(&idp, &right, "username=alice&password=alice", None)
            .await
            .status(),
        400,
        "used"
    );
    let (_, late) = push(&idp, &[]).await;
    time.fetch_add(120, SeqCst);
    assert_eq!(
        show(&idp, &path("web", &late)).await.status(),
        400,
        "expired"
    );
}

fn other() -> RegisteredClient {
    RegisteredClient {
        id: "pusher".to_owned(),
        require_pushed_authorization_requests: true,
        redirect_uris: vec![crate::CALLBACK.to_owned()],
        scopes: vec!["orders:read".to_owned()],
        ..RegisteredClient::default()
    }
}

#[tokio::test]
async fn a_pushed_request_is_judged_at_once() {
    let idp = Idp::start(with_client(other())).await.unwrap();
    for (change, status, error) in [
        (
            ("redirect_uri", "https://evil.example/"),
            400,
            "invalid_request",
        ),
        (
            ("request_uri", "urn:ietf:params:oauth:request_uri:x"),
            400,
            "invalid_request",
        ),
        (("request", "x.y.z"), 400, "request_not_supported"),
        (("scope", "everything"), 400, "invalid_scope"),
        (("code_challenge", ""), 400, "invalid_request"),
        (("response_type", "token"), 400, "unsupported_response_type"),
        (("client_id", "nobody"), 401, "invalid_client"),
        (("client_id", "service"), 401, "invalid_client"),
    ] {
        let (answered, body) = push(&idp, &[change]).await;
        assert_eq!(
            (answered, &body["error"]),
            (status, &json!(error)),
            "{change:?}"
        );
    }
    let (status, _) = json(
        post(
            &idp,
            "/par",
            &authorize_query(&[("client_id", "")]),
            SERVICE,
        )
        .await,
    )
    .await;
    assert_eq!(
        status, 400,
        "the client that authenticates has not registered this address"
    );
}

#[tokio::test]
async fn a_client_may_have_to_push() {
    let idp = Idp::start(with_client(other())).await.unwrap();
    let direct = show(
        &idp,
        &format!("/authorize?{}", authorize_query(&[("client_id", "pusher")])),
    )
    .await;
    assert_eq!(
        parameter(&direct, "error").as_deref(),
        Some("invalid_request")
    );
    let (_, pushed) = push(&idp, &[("client_id", "pusher")]).await;
    assert_eq!(show(&idp, &path("pusher", &pushed)).await.status(), 200);
    for foreign in ["https://client.example/request.jwt", "urn:example:request"] {
        let query = authorize_query(&[("request_uri", foreign)]);
        let response = show(&idp, &format!("/authorize?{query}")).await;
        assert_eq!(
            parameter(&response, "error").as_deref(),
            Some("request_not_supported"),
            "{foreign}"
        );
    }
}
