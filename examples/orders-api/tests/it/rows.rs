//! Orders come and go: the same on each database.

use crate::setup::Setup;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn orders_live_in_sqlite() {
    live(&Setup::new().await).await;
}

/// Makes, reads, changes and deletes orders, and goes through a list in parts.
pub(crate) async fn live(setup: &Setup) {
    let (alice, bob) = (setup.token("alice"), setup.token("bob"));
    let mut made = BTreeSet::new();
    for number in 1..=5 {
        let order = json!({ "item": format!("AB-{number}"), "quantity": number, "note": "ä" });
        let created = setup.call("POST /orders", &bob, order).await;
        assert_eq!(created.status, 201);
        let id = created.body["id"].as_str().unwrap().to_owned();
        assert_eq!(created.headers["location"], format!("/orders/{id}"));
        let read = setup
            .call(&format!("GET /orders/{id}"), &bob, Value::Null)
            .await;
        assert_eq!((read.status, &read.body), (200, &created.body));
        made.insert(id);
    }
    assert_eq!(parts(setup, &bob).await, [2, 2, 1]);
    let first = made.first().unwrap();
    let change = json!({ "item": "CD-9", "quantity": 1000 });
    let line = format!("PUT /orders/{first}");
    let changed = setup.call(&line, &bob, change).await;
    assert_eq!(changed.status, 200);
    assert_eq!(changed.body["item"], "CD-9");
    assert_eq!(changed.body["note"], Value::Null);
    let line = format!("DELETE /orders/{first}");
    assert_eq!(setup.call(&line, &alice, Value::Null).await.status, 204);
    assert_eq!(setup.call(&line, &alice, Value::Null).await.status, 404);
    assert_eq!(parts(setup, &bob).await, [2, 2]);
    // What looks like a statement is text.
    let injected = json!({ "item": "AB-1", "quantity": 1, "note": "'); DROP TABLE orders; --" });
    let created = setup
        .call("POST /orders", &bob, injected.clone())
        .await;
    assert_eq!(created.body["note"], injected["note"]);
    assert_eq!(parts(setup, &bob).await, [2, 2, 1]);
}

/// How many orders are in each part of a list, two at a time. No order comes twice.
async fn parts(setup: &Setup, token: &str) -> Vec<usize> {
    let (mut sizes, mut seen) = (Vec::new(), BTreeSet::new());
    let mut line = "GET /orders?limit=2".to_owned();
    loop {
        let part = setup.call(&line, token, Value::Null).await;
        let items = part.body["items"].as_array().unwrap();
        sizes.push(items.len());
        for item in items {
            assert!(seen.insert(item["id"].as_str().unwrap().to_owned()));
        }
        match part.body["next"].as_str() {
            Some(next) => line = format!("GET /orders?limit=2&after={next}"),
            None => return sizes,
        }
    }
}

/// A database that is away is an outage, and no refusal.
#[tokio::test]
async fn without_the_database_there_is_503() {
    let setup = Setup::new().await;
    setup.application.store.close().await;
    let answer = setup
        .call("GET /orders", &setup.token("bob"), Value::Null)
        .await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (503, &json!("outage.database"))
    );
    assert!(!setup.application.store.is_ready().await);
}
