//! Who may do what.

use crate::setup::Setup;
use serde_json::{Value, json};

/// A dropped guard, scope or role changes this list.
#[tokio::test]
async fn every_route_says_who_may_call_it() {
    let setup = Setup::new().await;
    let routes: Vec<String> = setup
        .document
        .routes()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        routes,
        [
            "GET /orders: scope `orders:read`",
            "POST /orders: scope `orders:write`",
            "GET /orders/{id}: scope `orders:read`",
            "PUT /orders/{id}: scope `orders:write`",
            "DELETE /orders/{id}: role `Admin`",
        ]
    );
}

/// The same by asking: nobody, a token without scopes, and the right one.
#[tokio::test]
async fn every_route_refuses_who_may_not_call_it() {
    let setup = Setup::new().await;
    let good = json!({ "item": "AB-1", "quantity": 1 });
    let created = setup
        .call("POST /orders", &setup.token("bob"), good.clone())
        .await;
    assert_eq!(created.status, 201);
    let one = format!("/orders/{}", created.body["id"].as_str().unwrap());
    let bare = setup.idp.token("bob").scope("openid").sign();
    for (line, body, scope) in [
        ("GET /orders".to_owned(), Value::Null, "orders:read"),
        ("POST /orders".to_owned(), good.clone(), "orders:write"),
        (format!("GET {one}"), Value::Null, "orders:read"),
        (format!("PUT {one}"), good, "orders:write"),
    ] {
        let stranger = setup.call(&line, "no-token", body.clone()).await;
        assert_eq!(stranger.status, 401, "{line}");
        let refused = setup.call(&line, &bare, body.clone()).await;
        assert_eq!(refused.status, 403, "{line}");
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.contains(&format!("scope=\"{scope}\"")),
            "{line}: {challenge}"
        );
        let only = setup.idp.token("bob").scope(scope).sign();
        assert!(setup.call(&line, &only, body).await.status < 300, "{line}");
    }
    let line = format!("DELETE {one}");
    assert_eq!(
        setup
            .call(&line, &setup.token("bob"), Value::Null)
            .await
            .status,
        403
    );
    assert_eq!(
        setup
            .call(&line, &setup.token("alice"), Value::Null)
            .await
            .status,
        204
    );
}

/// Nobody learns from the answer whether an order of somebody else is there.
#[tokio::test]
async fn orders_of_others_are_not_there() {
    let setup = Setup::new().await;
    let (alice, bob) = (setup.token("alice"), setup.token("bob"));
    let order = json!({ "item": "AB-1", "quantity": 1 });
    let created = setup.call("POST /orders", &bob, order).await;
    let one = format!("/orders/{}", created.body["id"].as_str().unwrap());
    let absent = "/orders/00000000-0000-0000-0000-000000000000";
    let other = json!({ "item": "XY-9", "quantity": 9 });
    for (method, body) in [("GET", Value::Null), ("PUT", other)] {
        let mut foreign = setup
            .call(&format!("{method} {one}"), &alice, body.clone())
            .await;
        let mut missing = setup
            .call(&format!("{method} {absent}"), &alice, body)
            .await;
        assert_eq!((foreign.status, missing.status), (404, 404), "{method}");
        // Only the request itself tells the two apart.
        let id = |body: &mut Value| body.as_object_mut().unwrap().remove("request_id");
        assert_ne!(id(&mut foreign.body), id(&mut missing.body), "{method}");
        assert_eq!(foreign.body, missing.body, "{method}");
    }
    // Nor can it be changed: the refusal above was no word about what was done.
    let unchanged = setup
        .call(&format!("GET {one}"), &bob, Value::Null)
        .await;
    assert_eq!(unchanged.body, created.body);
    let list = setup.call("GET /orders", &alice, Value::Null).await;
    assert_eq!(list.body["items"], json!([]));
}

/// A subject is unique at its issuer only (RFC 7519, section 4.1.2).
#[tokio::test]
async fn one_subject_at_two_issuers_is_two_people() {
    let (setup, other) = Setup::with_two_issuers().await;
    let [ours, theirs] = [&setup.idp, &other].map(|idp| {
        let token = idp.token("bob").claim("sub", "same");
        token.scope("orders:read orders:write").sign()
    });
    let order = json!({ "item": "AB-1", "quantity": 1 });
    let created = setup.call("POST /orders", &ours, order).await;
    assert_eq!(created.status, 201);
    let list = setup.call("GET /orders", &theirs, Value::Null).await;
    assert_eq!((list.status, &list.body["items"]), (200, &json!([])));
    let one = format!("/orders/{}", created.body["id"].as_str().unwrap());
    let changed = json!({ "item": "XY-9", "quantity": 9 });
    for (method, body) in [("GET", Value::Null), ("PUT", changed)] {
        let answer = setup
            .call(&format!("{method} {one}"), &theirs, body)
            .await;
        assert_eq!(answer.status, 404, "{method}");
    }
    let unchanged = setup
        .call(&format!("GET {one}"), &ours, Value::Null)
        .await;
    assert_eq!(unchanged.body, created.body);
}
