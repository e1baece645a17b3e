//! What is around the handlers: ids, description, health, figures.

use crate::setup::Setup;
use axum::body::Body;
use axum::http::Request;
use metrics_exporter_prometheus::PrometheusBuilder;
use orders_api::admin;
use serde_json::{Value, json};
use tower::ServiceExt as _;

#[tokio::test]
async fn every_answer_names_its_request() {
    let setup = Setup::new().await;
    let answer = setup
        .call("GET /orders", &setup.token("bob"), Value::Null)
        .await;
    assert!(answer.headers.contains_key("x-request-id"));
    let refused = setup.call("GET /orders", "junk", Value::Null).await;
    assert_eq!(
        refused.body["request_id"],
        refused.headers["x-request-id"].to_str().unwrap()
    );
}

#[tokio::test]
async fn the_document_and_its_page_are_there() {
    let setup = Setup::new().await;
    let get = |path: &str| setup.send(Request::get(path).body(Body::empty()).unwrap());
    let document = get("/openapi.json").await;
    assert_eq!(&document.body, setup.document.as_value());
    let rules = &document.body["components"]["schemas"]["NewOrder"]["properties"];
    assert_eq!(rules["quantity"]["maximum"], json!(1000));
    assert_eq!(rules["item"]["pattern"], "^[A-Z]{2}-[0-9]+$");
    assert_eq!(rules["item"]["maxLength"], json!(20));
    // A rule of what may be absent reaches the document too.
    assert_eq!(rules["note"]["maxLength"], json!(200));
    let page = get("/docs").await;
    assert_eq!(
        (page.status, page.headers["content-type"].to_str().unwrap()),
        (200, "text/html")
    );
    // Only pages of named origins may read answers.
    assert!(
        !page
            .headers
            .contains_key("access-control-allow-origin")
    );
}

/// The layer of CORS is outside the guards.
#[tokio::test]
async fn a_page_can_read_a_refusal() {
    let setup = Setup::new().await;
    for (origin, allowed) in [
        ("https://app.example", true),
        ("https://evil.example", false),
    ] {
        let request = Request::get("/orders").header("origin", origin);
        let refused = setup.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(refused.status, 401);
        let told = refused.headers.get("access-control-allow-origin");
        assert_eq!(told.is_some_and(|it| it == origin), allowed, "{origin}");
        let exposed = refused.headers["access-control-expose-headers"].to_str();
        assert!(
            exposed
                .unwrap()
                .contains("retry-after,www-authenticate")
        );
        // A preflight needs no token.
        let request = Request::options("/orders").header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let preflight = setup.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(preflight.status, 200);
    }
}

#[tokio::test]
async fn operators_see_health_and_figures() {
    let setup = Setup::new().await;
    // The first token has the keys fetched.
    assert_eq!(
        setup
            .call("GET /orders", &setup.token("bob"), Value::Null)
            .await
            .status,
        200
    );
    let recorder = PrometheusBuilder::new().build_recorder();
    let admin = admin::router(setup.application.clone(), recorder.handle());
    let status = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        admin
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(status("/health/live").await, 200);
    assert_eq!(status("/health/ready").await, 200);
    assert_eq!(status("/metrics").await, 200);
    setup.application.store.close().await;
    assert_eq!(
        (status("/health/live").await, status("/health/ready").await),
        (200, 503)
    );
}

/// Errors of handlers, of axum itself and of guards have one form.
#[tokio::test]
async fn every_error_is_a_problem_document() {
    let setup = Setup::new().await;
    let token = setup.token("bob");
    let absent = "/orders/00000000-0000-0000-0000-000000000000";
    for (line, status, code) in [
        (format!("GET {absent}"), 404, "order.absent"),
        ("GET /nothing".to_owned(), 404, "route.absent"),
        ("PATCH /orders".to_owned(), 405, "route.method"),
        (format!("DELETE {absent}"), 403, "policy.role"),
        ("GET /orders?limit=0".to_owned(), 422, "request.invalid"),
    ] {
        let answer = setup.call(&line, &token, Value::Null).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (status, &json!(code)),
            "{line}"
        );
        assert_eq!(
            answer.headers["content-type"], "application/problem+json",
            "{line}"
        );
        let id = answer.headers["x-request-id"].to_str().unwrap();
        assert_eq!(answer.body["request_id"], id, "{line}");
        assert_eq!(answer.body["status"], status, "{line}");
    }
    let wrong = setup.call("PATCH /orders", &token, Value::Null).await;
    assert_eq!(wrong.headers["allow"], "GET,HEAD,POST");
}
