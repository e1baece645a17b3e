//! Bodies of JSON: good ones, and bad ones with all their faults.

use super::{GOOD, SECRET, faults, faults_of, orders, send};
use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use serde_json::{Value, json};

/// The good order, with these members in the place of its own.
fn order(changes: Value) -> String {
    let mut order: Value = serde_json::from_str(GOOD).unwrap();
    if let Value::Object(changes) = changes {
        for (name, value) in changes {
            order[name] = value;
        }
    }
    order.to_string()
}

#[tokio::test]
async fn good_bodies_are_read() {
    let app = orders();
    for body in [
        GOOD.to_owned(),
        format!(" \n{GOOD}\t"),
        order(json!({"price": 3, "currency": "EUR", "email": "ann@example.com", "speed": "fast"})),
        order(json!({"currency": null, "items": [{"itemName": "cap", "pieces": 1}]})),
        order(json!({"labels": {"a": "b", "quantity": "any"}, "article": "ähnlichälter"})),
    ] {
        let answer = send(&app, "application/json", body.clone()).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.body);
        let sent: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer.body["quantity"], sent["quantity"]);
        assert_eq!(answer.body["article"], sent["article"]);
    }
}

#[tokio::test]
async fn each_fault_has_its_kind_and_place() {
    let app = orders();
    let secrets = json!({"a": SECRET});
    for (changes, expected) in [
        (json!({"article": 5}), "string_type@body.article"),
        (json!({"article": null}), "string_type@body.article"),
        (json!({"article": secrets}), "string_type@body.article"),
        (json!({"article": ""}), "string_too_short@body.article"),
        (
            json!({"article": format!("{SECRET}{SECRET}")}),
            "string_too_long@body.article",
        ),
        (
            json!({"article": format!("\t{SECRET}")}),
            "value_error@body.article",
        ),
        (json!({"quantity": 0}), "greater_than_equal@body.quantity"),
        (json!({"quantity": -1}), "greater_than_equal@body.quantity"),
        (json!({"quantity": 101}), "less_than_equal@body.quantity"),
        (json!({"quantity": "2"}), "int_type@body.quantity"),
        (json!({"quantity": SECRET}), "int_type@body.quantity"),
        (json!({"quantity": 1.5}), "int_from_float@body.quantity"),
        (json!({"quantity": true}), "int_type@body.quantity"),
        (json!({"quantity": [2]}), "int_type@body.quantity"),
        (
            json!({"quantity": 5_000_000_000_u64}),
            "less_than_equal@body.quantity",
        ),
        (json!({"quantity": 1e30}), "less_than_equal@body.quantity"),
        (json!({"price": "1.5"}), "float_type@body.price"),
        (json!({"price": SECRET}), "float_type@body.price"),
        (json!({"gift": "true"}), "bool_type@body.gift"),
        (json!({"gift": 1}), "bool_type@body.gift"),
        (
            json!({"currency": SECRET}),
            "string_pattern_mismatch@body.currency",
        ),
        (json!({"currency": 7}), "string_type@body.currency"),
        (json!({"email": SECRET}), "value_error@body.email"),
        (json!({"items": SECRET}), "list_type@body.items"),
        (json!({"items": {}}), "list_type@body.items"),
        (
            json!({"items": [SECRET]}),
            "model_attributes_type@body.items.0",
        ),
        (
            json!({"items": [["cap", 1]]}),
            "model_attributes_type@body.items.0",
        ),
        (
            json!({"items": [{"itemName": "cap"}]}),
            "missing@body.items.0.pieces",
        ),
        (
            json!({"items": [{"itemName": "c", "pieces": 1}]}),
            "string_too_short@body.items.0.itemName",
        ),
        (
            json!({"items": [{"itemName": "cap", "pieces": 1}, {"itemName": "cap", "pieces": 300}]}),
            "less_than_equal@body.items.1.pieces",
        ),
        (
            json!({"items": [{"itemName": "cap", "pieces": 1, "x": SECRET}]}),
            "extra_forbidden@body.items.0.x",
        ),
        (
            json!({"items": vec![json!({"itemName": "cap", "pieces": 1}); 4]}),
            "too_long@body.items",
        ),
        (json!({"speed": SECRET}), "enum@body.speed"),
        (json!({"speed": "Slow"}), "enum@body.speed"),
        (json!({"speed": {"slow": SECRET}}), "enum@body.speed"),
        (json!({"labels": []}), "dict_type@body.labels"),
        (json!({"labels": {"a": 1}}), "string_type@body.labels.a"),
        (
            json!({"labels": {"a/b~c": 1}}),
            "string_type@body.labels.a/b~c",
        ),
        (json!({"other": SECRET}), "extra_forbidden@body.other"),
        (json!({"Quantity": 2}), "extra_forbidden@body.Quantity"),
    ] {
        assert_eq!(
            faults_of(&app, &order(changes.clone())).await,
            [expected],
            "{changes}"
        );
    }
    assert_eq!(faults_of(&app, "").await, ["missing@body"]);
    for body in ["[]", "null", "5", "\"s3cr3t-w0rd\"", "[[1]]"] {
        assert_eq!(
            faults_of(&app, body).await,
            ["model_attributes_type@body"],
            "{body}"
        );
    }
}

#[tokio::test]
async fn all_faults_come_at_once() {
    let app = orders();
    let expected = [
        "missing@body.article",
        "missing@body.gift",
        "missing@body.price",
        "missing@body.quantity",
    ];
    assert_eq!(faults_of(&app, "{}").await, expected);
    let body = json!({"article": SECRET, "quantity": "2", "gift": 0, "currency": SECRET,
        "items": [{"itemName": "c", "pieces": 1.5, "y": SECRET}, 7], "speed": 3, "x": SECRET});
    let expected = [
        "bool_type@body.gift",
        "enum@body.speed",
        "extra_forbidden@body.items.0.y",
        "extra_forbidden@body.x",
        "int_from_float@body.items.0.pieces",
        "int_type@body.quantity",
        "missing@body.price",
        "model_attributes_type@body.items.1",
        "string_pattern_mismatch@body.currency",
        "string_too_short@body.items.0.itemName",
    ];
    assert_eq!(faults_of(&app, &body.to_string()).await, expected);
    // An integer may have a decimal point, as its schema says, and no fraction.
    let body = order(json!({"quantity": 2.0, "price": SECRET,
        "items": [{"itemName": "cap", "pieces": 3.0}, {"itemName": "cap", "pieces": 1e300}]}));
    let expected = [
        "float_type@body.price",
        "less_than_equal@body.items.1.pieces",
    ];
    assert_eq!(faults_of(&app, &body).await, expected);
    // Unknown members do not hide the rules, and no rule is told twice.
    let body = order(
        json!({"x": 1, "quantity": 0, "article": "forbidden", "email": SECRET,
        "items": [{"itemName": "c", "pieces": 0}]}),
    );
    let expected = [
        "extra_forbidden@body.x",
        "greater_than_equal@body.items.0.pieces",
        "greater_than_equal@body.quantity",
        "string_too_short@body.items.0.itemName",
        "value_error@body.article",
        "value_error@body.email",
    ];
    assert_eq!(faults_of(&app, &body).await, expected);
}

#[tokio::test]
async fn the_answer_is_a_problem_document_of_the_schema_alone() {
    let app = orders();
    let body = order(json!({"quantity": 0, "article": "forbidden", "currency": SECRET}));
    let answer = send(&app, "application/json", body).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(
        answer.headers["x-request-id"],
        answer.body["request_id"].as_str().unwrap()
    );
    let mut document = answer.body.clone();
    document["request_id"].take();
    assert_eq!(
        document,
        json!({
            "type": "urn:portcullis:request.invalid",
            "title": "Unprocessable Entity",
            "status": 422,
            "detail": "the request does not have the form that this operation expects",
            "code": "request.invalid",
            "request_id": null,
            "errors": [
                {
                    "loc": ["body", "article"],
                    "msg": "Value error, this article is not sold",
                    "type": "value_error",
                    "ctx": {"error": "this article is not sold"},
                },
                {
                    "loc": ["body", "currency"],
                    "msg": "String should match pattern '^[A-Z]{3}$'",
                    "type": "string_pattern_mismatch",
                    "ctx": {"pattern": "^[A-Z]{3}$"},
                },
                {
                    "loc": ["body", "quantity"],
                    "msg": "Input should be greater than or equal to 1",
                    "type": "greater_than_equal",
                    "ctx": {"ge": 1},
                },
            ],
        })
    );
}

#[tokio::test]
async fn what_is_no_json_is_refused_with_its_byte() {
    let app = orders();
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    let wide = format!("[{}0]", "0,".repeat(50_000));
    for (body, at, reason) in [
        ("{", 1, "not valid JSON"),
        ("{} x", 3, "not valid JSON"),
        ("{'article':1}", 1, "not valid JSON"),
        ("[1e999]", 1, "a number out of range"),
        ("[\"\\ud800\"]", 8, "an escape that is no character"),
        (
            "{\"s3cr3t-w0rd\":1,\"s3cr3t-w0rd\":2}",
            31,
            "a member name repeated in one object",
        ),
        (
            "{\"labels\":{\"a\":\"1\",\"a\":\"2\"}}",
            23,
            "a member name repeated in one object",
        ),
        (&deep, 32, "nested too deep"),
        (&wide, 99_999, "too many values"),
    ] {
        let answer = send(&app, "application/json", body.to_owned()).await;
        assert_eq!(
            faults(&answer),
            [format!("json_invalid@body.{at}")],
            "{body:.40}"
        );
        assert_eq!(
            answer.body["errors"][0]["ctx"]["error"], reason,
            "{body:.40}"
        );
    }
    let answer = send(&app, "application/json", b"{\"a\":\"\xff\"}".to_vec()).await;
    assert_eq!(faults(&answer), ["json_invalid@body.6"]);
    // Repeated members are refused although each alone would be good.
    let body = GOOD.replace("\"quantity\":2", "\"quantity\":2,\"quantity\":3");
    assert_eq!(faults_of(&app, &body).await, ["json_invalid@body.41"]);
}

#[tokio::test]
async fn media_types_and_encodings() {
    let app = orders();
    for good in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/vnd.shop.order+json",
        "application/json;a=b;c=d",
    ] {
        assert_eq!(send(&app, good, GOOD).await.status, 200, "{good}");
    }
    for bad in [
        "",
        "text/json",
        "text/plain",
        "application/jsonx",
        "application/+jsonx",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/json, text/plain",
    ] {
        let answer = send(&app, bad, GOOD).await;
        assert_eq!(answer.status, 415, "{bad}");
        assert_eq!(answer.body["code"], "request.media_type");
        assert_eq!(answer.headers["accept"], "application/json");
        assert!(answer.body.get("errors").is_none());
    }
    let request = || http::Request::post("/").header("content-type", "application/json");
    let packed = request()
        .header("content-encoding", "gzip")
        .body(Body::from(GOOD))
        .unwrap();
    assert_eq!(crate::call(&app, packed).await.status, 415);
    let plain = request()
        .header("content-encoding", "identity")
        .body(Body::from(GOOD))
        .unwrap();
    assert_eq!(crate::call(&app, plain).await.status, 200);
    let twice = request()
        .header("content-type", "text/plain")
        .body(Body::from(GOOD))
        .unwrap();
    assert_eq!(crate::call(&app, twice).await.status, 415);
    let none = http::Request::post("/")
        .body(Body::from(GOOD))
        .unwrap();
    assert_eq!(crate::call(&app, none).await.status, 415);
}

#[tokio::test]
async fn size_is_bounded_by_the_router() {
    let padded = |length: usize| format!("{GOOD}{}", " ".repeat(length - GOOD.len()));
    let by_default = orders();
    let small: Router = orders().layer(DefaultBodyLimit::max(1_000));
    for (app, length, status) in [
        (&by_default, 2_000_000, 200),
        (&by_default, 3_000_000, 413),
        (&small, 1_000, 200),
        (&small, 1_001, 413),
    ] {
        let answer = send(app, "application/json", padded(length)).await;
        assert_eq!(answer.status, status, "{length}");
        if status == 413 {
            assert_eq!(answer.body["code"], "request.too_large");
        }
    }
    let pieces = [
        Ok("{\"article\":"),
        Err(std::io::Error::other("the client went away")),
    ];
    let broken = Body::from_stream(futures_util::stream::iter(pieces));
    let answer = send(&by_default, "application/json", broken).await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (400, Some("request.unreadable"))
    );
}

#[tokio::test]
async fn faults_and_names_are_bounded() {
    let app = orders();
    let many: serde_json::Map<String, Value> = (0..300)
        .map(|number| (format!("m{number}"), SECRET.into()))
        .collect();
    let answer = send(&app, "application/json", Value::Object(many).to_string()).await;
    assert_eq!(faults(&answer).len(), 100);
    let long = "n".repeat(5_000);
    let body = order(json!({"a\r\n\u{1b}[31m": 1, long: 2}));
    let names = faults_of(&app, &body).await;
    assert_eq!(names.len(), 2);
    assert_eq!(names[0], "extra_forbidden@body.a\\u{d}\\u{a}\\u{1b}[31m");
    assert_eq!(
        names[1],
        format!("extra_forbidden@body.{}…", "n".repeat(64))
    );
    let items = vec![json!({"itemName": "c", "pieces": 0}); 200];
    assert_eq!(
        faults_of(&app, &order(json!({"items": items})))
            .await
            .len(),
        100
    );
}
