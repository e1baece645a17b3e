//! Queries, forms and paths: text, whose types say what is a number.

use super::{SECRET, faults};
use crate::{Answer, call, get};
use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Path, Query};
use axum::routing::{get as on_get, post};
use garde::Validate;
use http::Request;
use portcullis::Valid;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
#[allow(dead_code, reason = "what is read is printed")]
struct Filter {
    #[garde(range(min = 1, max = 500))]
    limit: Option<u32>,
    below: Option<f64>,
    open: Option<bool>,
    #[serde(default)]
    #[garde(length(max = 3), inner(length(chars, min = 2)))]
    tag: Vec<String>,
    #[serde(default)]
    id: Vec<i64>,
    sort: Option<Sort>,
    #[serde(flatten)]
    #[garde(dive)]
    page: Page,
}

#[derive(Debug, Deserialize, Validate, JsonSchema)]
struct Page {
    #[garde(range(max = 9))]
    page: Option<u8>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    Newest,
    Oldest,
}

#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
#[allow(dead_code, reason = "what is read is printed")]
struct Place {
    #[garde(range(min = 1))]
    shop: u32,
    name: String,
}

#[derive(Debug, Deserialize, Validate, JsonSchema)]
struct Id(#[garde(range(min = 10))] u32);

fn app() -> Router {
    async fn query(Valid(Query(filter)): Valid<Query<Filter>>) -> String {
        format!("{filter:?}")
    }
    async fn form(Valid(Form(filter)): Valid<Form<Filter>>) -> String {
        format!("{filter:?}")
    }
    async fn place(Valid(Path(place)): Valid<Path<Place>>) -> String {
        format!("{place:?}")
    }
    async fn pair(Valid(Path(place)): Valid<Path<(Id, Sort2)>>) -> String {
        format!("{place:?}")
    }
    async fn one(Valid(Path(id)): Valid<Path<Id>>) -> String {
        format!("{id:?}")
    }
    Router::new()
        .route("/query", on_get(query))
        .route("/form", post(form))
        .route("/shops/{shop}/{name}", on_get(place))
        .route("/tenants/{tenant}/shops/{shop}/{name}", on_get(place))
        .route("/pairs/{id}/{sort}", on_get(pair))
        .route("/ids/{id}", on_get(one))
        .route("/wrong/{shop}", on_get(place))
        .route("/wrong-pair/{shop}", on_get(pair))
        .route("/none", on_get(one))
}

#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "snake_case")]
enum Sort2 {
    Newest,
}

/// The answer, by query and by form.
async fn both(app: &Router, pairs: &str) -> (Answer, Answer) {
    let query = call(app, get(&format!("/query?{pairs}"), None)).await;
    let form = Request::post("/form").header("content-type", "application/x-www-form-urlencoded");
    (
        query,
        call(app, form.body(Body::from(pairs.to_owned())).unwrap()).await,
    )
}

#[tokio::test]
async fn good_parameters_are_read() {
    let app = app();
    for (pairs, expected) in [
        ("", "limit: None"),
        (
            "limit=7&below=1.5&open=true",
            "limit: Some(7), below: Some(1.5), open: Some(true)",
        ),
        ("below=3&open=false", "below: Some(3.0), open: Some(false)"),
        ("below=-1e3", "below: Some(-1000.0)"),
        ("tag=ab&tag=c%20d&tag=e+f", r#"tag: ["ab", "c d", "e f"]"#),
        ("tag=12", r#"tag: ["12"]"#),
        ("id=1&id=-2", "id: [1, -2]"),
        (
            "sort=newest&page=3",
            "sort: Some(Newest), page: Page { page: Some(3) }",
        ),
        ("%6cimit=1&&", "limit: Some(1)"),
    ] {
        let (query, form) = both(&app, pairs).await;
        for answer in [query, form] {
            assert_eq!(answer.status, 200, "{pairs}: {}", answer.body);
            assert!(
                answer
                    .body
                    .to_string()
                    .replace("\\\"", "\"")
                    .contains(expected),
                "{pairs}: {}",
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn bad_parameters_have_all_their_faults() {
    let app = app();
    for (pairs, expected) in [
        ("limit=SECRET", vec!["int_parsing@limit"]),
        ("limit=", vec!["int_parsing@limit"]),
        ("limit=%2B7", vec!["int_parsing@limit"]),
        ("limit=1.0", vec!["int_parsing@limit"]),
        ("limit=0x7", vec!["int_parsing@limit"]),
        ("limit=-1", vec!["greater_than_equal@limit"]),
        ("limit=0", vec!["greater_than_equal@limit"]),
        ("limit=99999999999999999999999", vec!["int_parsing@limit"]),
        ("below=NaN", vec!["float_parsing@below"]),
        ("below=inf", vec!["float_parsing@below"]),
        ("below=1e999", vec!["float_parsing@below"]),
        ("open=1", vec!["bool_parsing@open"]),
        ("open=SECRET", vec!["bool_parsing@open"]),
        ("tag=x", vec!["string_too_short@tag.0"]),
        ("tag=ab&tag=cd&tag=ef&tag=gh", vec!["too_long@tag"]),
        ("id=1&id=x", vec!["int_parsing@id.1"]),
        ("sort=SECRET", vec!["enum@sort"]),
        ("page=10", vec!["less_than_equal@page"]),
        ("limit=1&limit=2", vec!["multiple_argument_values@limit"]),
        ("limit=1&limit=1", vec!["multiple_argument_values@limit"]),
        ("x=SECRET", vec!["extra_forbidden@x"]),
        (
            "x=1&x=2",
            vec!["extra_forbidden@x", "multiple_argument_values@x"],
        ),
        ("Limit=1", vec!["extra_forbidden@Limit"]),
        ("tag[]=ab", vec!["extra_forbidden@tag[]"]),
        (
            "limit=0&tag=SECRET&x=1&open=maybe&below=z&sort=SECRET",
            vec![
                "bool_parsing@open",
                "enum@sort",
                "extra_forbidden@x",
                "float_parsing@below",
                "greater_than_equal@limit",
            ],
        ),
    ] {
        let (query, form) = both(&app, &pairs.replace("SECRET", SECRET)).await;
        for (answer, part) in [(query, "query"), (form, "body")] {
            let expected: Vec<String> = expected
                .iter()
                .map(|it| it.replace('@', &format!("@{part}.")))
                .collect();
            assert_eq!(faults(&answer), expected, "{pairs}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_is_no_request() {
    let app = app();
    for pairs in ["limit=%", "limit=%zz", "%f=1", "tag=%ff", "tag=%c3%28"] {
        let (query, form) = both(&app, pairs).await;
        for answer in [query, form] {
            assert_eq!(answer.status, 400, "{pairs}");
            assert_eq!(answer.body["code"], "request.unreadable");
        }
    }
    let many = "tag=ab&".repeat(1_001);
    assert_eq!(both(&app, &many).await.1.status, 400);
}

#[tokio::test]
async fn forms_have_their_media_type() {
    let app = app();
    for (content_type, status) in [
        ("application/x-www-form-urlencoded", 200),
        ("application/x-www-form-urlencoded; charset=utf-8", 200),
        ("application/json", 415),
        ("text/plain", 415),
        ("multipart/form-data; boundary=x", 415),
    ] {
        let request = Request::post("/form?limit=0").header("content-type", content_type);
        let answer = call(&app, request.body(Body::from("limit=1")).unwrap()).await;
        assert_eq!(answer.status, status, "{content_type}");
    }
}

#[tokio::test]
async fn paths() {
    let app = app();
    for (path, expected) in [
        (
            "/shops/7/corner%20shop",
            r#"Place { shop: 7, name: \"corner shop\" }"#,
        ),
        ("/shops/7/8", r#"Place { shop: 7, name: \"8\" }"#),
        ("/tenants/t/shops/7/a", r#"Place { shop: 7, name: \"a\" }"#),
        ("/pairs/10/newest", "(Id(10), Newest)"),
        ("/ids/12", "Id(12)"),
    ] {
        let answer = call(&app, get(path, None)).await;
        assert_eq!(
            (answer.status, answer.body.to_string()),
            (200, format!("\"{expected}\""))
        );
    }
    for (path, expected) in [
        ("/shops/s3cr3t-w0rd/a", vec!["int_parsing@path.shop"]),
        ("/shops/0/a", vec!["greater_than_equal@path.shop"]),
        ("/shops/+7/a", vec!["int_parsing@path.shop"]),
        ("/pairs/9/newest", vec!["greater_than_equal@path.id"]),
        ("/pairs/x/y", vec!["enum@path.sort", "int_parsing@path.id"]),
        ("/ids/x", vec!["int_parsing@path.id"]),
        ("/ids/9", vec!["greater_than_equal@path.id"]),
        ("/shops/%ff/a", vec!["400"]),
        ("/wrong/7", vec!["500"]),
        ("/wrong-pair/7", vec!["500"]),
        ("/none", vec!["500"]),
    ] {
        let answer = call(&app, get(path, None)).await;
        assert_eq!(faults(&answer), expected, "{path}: {}", answer.body);
    }
}
