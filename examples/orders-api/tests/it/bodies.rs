//! What is read, and what is refused: the rules of `model.rs`, one by one.

use crate::setup::Setup;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

/// The places and kinds of all faults.
fn faults(body: &Value) -> Vec<String> {
    let errors = body["errors"].as_array().unwrap();
    let mut faults = Vec::new();
    for error in errors {
        let place: Vec<&str> = error["loc"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        faults.push(format!(
            "{}: {}",
            place.join("."),
            error["type"].as_str().unwrap()
        ));
    }
    faults.sort();
    faults
}

#[tokio::test]
async fn every_rule_of_an_order_is_checked() {
    let setup = Setup::new().await;
    let token = setup.token("bob");
    for (body, expected) in [
        (
            json!({}),
            vec!["body.item: missing", "body.quantity: missing"],
        ),
        (
            json!({ "item": "A-1", "quantity": 1 }),
            vec![
                "body.item: string_pattern_mismatch",
                "body.item: string_too_short",
            ],
        ),
        (
            json!({ "item": format!("AB-{}", "1".repeat(18)), "quantity": 1 }),
            vec!["body.item: string_too_long"],
        ),
        (
            json!({ "item": "AB-1", "quantity": 0 }),
            vec!["body.quantity: greater_than_equal"],
        ),
        (
            json!({ "item": "AB-1", "quantity": 1001 }),
            vec!["body.quantity: less_than_equal"],
        ),
        (
            json!({ "item": "AB-1", "quantity": "1" }),
            vec!["body.quantity: int_type"],
        ),
        (
            json!({ "item": "AB-1", "quantity": 1, "note": "n".repeat(201) }),
            vec!["body.note: string_too_long"],
        ),
        (
            json!({ "item": "AB-1", "quantity": 1, "price": 0 }),
            vec!["body.price: extra_forbidden"],
        ),
    ] {
        for line in [
            "POST /orders",
            "PUT /orders/00000000-0000-0000-0000-000000000000",
        ] {
            let answer = setup.call(line, &token, body.clone()).await;
            assert_eq!(answer.status, 422, "{line}: {body}");
            assert_eq!(faults(&answer.body), expected, "{line}: {body}");
        }
    }
}

#[tokio::test]
async fn every_rule_of_parameters_is_checked() {
    let setup = Setup::new().await;
    let token = setup.token("bob");
    for (line, expected) in [
        ("GET /orders?limit=0", "query.limit: greater_than_equal"),
        ("GET /orders?limit=101", "query.limit: less_than_equal"),
        ("GET /orders?limit=x", "query.limit: int_parsing"),
        ("GET /orders?page=2", "query.page: extra_forbidden"),
        (
            "GET /orders?after=0123456789012345678901234567890123456",
            "query.after: string_too_long",
        ),
        (
            "GET /orders/0000000000000000000000000000000000X0",
            "path.id: string_pattern_mismatch",
        ),
        ("GET /orders/00", "path.id: string_too_short"),
        (
            "GET /orders/0000000000000000000000000000000000000",
            "path.id: string_too_long",
        ),
    ] {
        let answer = setup.call(line, &token, Value::Null).await;
        assert_eq!(answer.status, 422, "{line}");
        assert_eq!(faults(&answer.body), [expected], "{line}");
    }
}

/// Who is not let in costs no reading, and learns nothing of the rules.
#[tokio::test]
async fn strangers_learn_nothing_of_bodies() {
    let setup = Setup::new().await;
    for token in ["", "junk"] {
        let answer = setup
            .call("POST /orders", token, json!({ "item": 1 }))
            .await;
        assert!(matches!(answer.status, 400 | 401), "{}", answer.status);
        assert!(answer.body.get("errors").is_none());
    }
    let reader = setup.idp.token("bob").scope("orders:read").sign();
    let answer = setup
        .call("POST /orders", &reader, json!({ "item": 1 }))
        .await;
    assert_eq!((answer.status, answer.body.get("errors")), (403, None));
}

#[tokio::test]
async fn what_is_no_body_of_an_order_is_refused_as_such() {
    let setup = Setup::new().await;
    let token = setup.token("bob");
    let send = |media_type: &str, body: String| {
        let request = Request::post("/orders")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", media_type)
            .body(Body::from(body));
        setup.send(request.unwrap())
    };
    let good = r#"{"item":"AB-1","quantity":1}"#.to_owned();
    assert_eq!(send("application/json", good.clone()).await.status, 201);
    assert_eq!(send("text/plain", good).await.status, 415);
    let large = format!("{{\"item\":\"{}\"}}", "A".repeat(70_000));
    assert_eq!(send("application/json", large).await.status, 413);
    let twice = r#"{"item":"AB-1","quantity":1,"quantity":2}"#.to_owned();
    assert_eq!(send("application/json", twice).await.status, 422);
}
