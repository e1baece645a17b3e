//! The corpus of Authorization headers, through a router.

use crate::{call, world};
use axum::Router;
use axum::body::Body;
use axum::routing;
use http::{HeaderName, HeaderValue, Request};
use portcullis::{AuthorizedCaller, requirement};
use portcullis_testkit::corpus;
use serde_json::Value;

requirement!(Writer = scope("orders:write"));

#[tokio::test]
async fn every_request_gets_its_answer() {
    let (idp, server) = world().await;
    let good = idp.token("alice").scope("orders:read").sign();
    let app = Router::new()
        .route("/", routing::any(async |_: AuthorizedCaller| "ok"))
        .route(
            "/write",
            routing::any(async |_: AuthorizedCaller<Writer>| "ok"),
        )
        .with_state(server);
    let document = corpus::document("authorization-header.json");
    let rows = corpus::rows(&document);
    for row in rows {
        let answer = call(&app, request(row, &good)).await;
        let allowed: Vec<u64> = match row["any_of"].as_array() {
            Some(statuses) => statuses.iter().filter_map(Value::as_u64).collect(),
            None => vec![row["status"].as_u64().unwrap()],
        };
        assert!(
            allowed.contains(&u64::from(answer.status)),
            "{}: {}",
            row["id"],
            answer.status
        );
        if answer.status != 200 {
            let start = good.get(..20).unwrap();
            let challenge = answer
                .headers
                .get("www-authenticate")
                .unwrap()
                .to_str()
                .unwrap();
            assert!(!challenge.contains(start) && !answer.body.to_string().contains(start));
        }
    }
    assert_eq!(rows.len(), 33);
}

fn request(row: &Value, good: &str) -> Request<Body> {
    let path = if row["rule_scope"].is_string() {
        "/write"
    } else {
        "/"
    };
    let query = row["query"].as_str().map_or(String::new(), |query| {
        format!("?{}", query.replace("{TOKEN}", good))
    });
    let body = row["body"]
        .as_str()
        .unwrap_or_default()
        .replace("{TOKEN}", good);
    let method = row["method"].as_str().unwrap_or("GET");
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{path}{query}"))
        .body(Body::from(body))
        .unwrap();
    for pair in row["headers"].as_array().unwrap() {
        let name = HeaderName::from_bytes(pair[0].as_str().unwrap().as_bytes()).unwrap();
        let value = pair[1].as_str().unwrap().replace("{TOKEN}", good);
        request
            .headers_mut()
            .append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request
}
