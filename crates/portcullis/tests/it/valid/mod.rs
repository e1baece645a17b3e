//! `Valid` over an axum router: what it reads, and every way in which it refuses.

mod bodies;
mod order;
mod parameters;
mod shapes;

use crate::{Answer, call};
use axum::body::Body;
use axum::routing::post;
use axum::{Json, Router};
use garde::Validate;
use http::Request;
use portcullis::Valid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Stands in values of requests, and must not stand in any answer.
pub(crate) const SECRET: &str = "s3cr3t-w0rd";

#[derive(Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct NewOrder {
    #[garde(length(chars, min = 1, max = 12), custom(no_tabs))]
    article: String,
    #[garde(range(min = 1, max = 100))]
    quantity: u32,
    price: f64,
    gift: bool,
    #[garde(pattern("^[A-Z]{3}$"))]
    currency: Option<String>,
    #[garde(email)]
    email: Option<String>,
    #[serde(default)]
    #[garde(length(max = 3), dive)]
    items: Vec<Item>,
    speed: Option<Speed>,
    #[serde(default)]
    labels: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Item {
    #[garde(length(chars, min = 2))]
    item_name: String,
    #[garde(range(min = 1))]
    pieces: u8,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Speed {
    Slow,
    Fast,
}

/// A rule that no schema carries; its words quote the value, as a careless one might.
fn no_tabs(text: &str, _: &()) -> garde::Result {
    if text.contains('\t') {
        return Err(garde::Error::new(format!("no tabs, please: {text}")));
    }
    if text.contains("forbidden") {
        return Err(garde::Error::new("this article is not sold"));
    }
    Ok(())
}

pub(crate) const GOOD: &str = r#"{"article":"pen","quantity":2,"price":1.5,"gift":false}"#;

pub(crate) fn orders() -> Router {
    async fn create(Valid(Json(order)): Valid<Json<NewOrder>>) -> Json<NewOrder> {
        Json(order)
    }
    Router::new().route("/", post(create))
}

pub(crate) async fn send(app: &Router, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post("/").header("content-type", content_type);
    call(app, request.body(body.into()).unwrap()).await
}

/// The faults of a JSON body, as `type@place`, sorted; or the status.
pub(crate) async fn faults_of(app: &Router, body: &str) -> Vec<String> {
    let answer = send(app, "application/json", body.to_owned()).await;
    faults(&answer)
}

pub(crate) fn faults(answer: &Answer) -> Vec<String> {
    let text = answer.body.to_string();
    assert!(!text.contains(SECRET), "an echo: {text}");
    if answer.status != 422 {
        return vec![answer.status.to_string()];
    }
    let mut faults = Vec::new();
    for error in answer.body["errors"].as_array().unwrap() {
        let place: Vec<String> = error["loc"]
            .as_array()
            .unwrap()
            .iter()
            .map(segment)
            .collect();
        faults.push(format!(
            "{}@{}",
            error["type"].as_str().unwrap(),
            place.join(".")
        ));
    }
    faults.sort();
    faults
}

fn segment(segment: &Value) -> String {
    segment
        .as_str()
        .map_or_else(|| segment.to_string(), str::to_owned)
}
