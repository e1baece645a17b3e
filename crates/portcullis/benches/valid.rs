//! A good body through `Valid<Json<T>>` and through axum's own `Json<T>`, in one application.
//!
//! Rounds in which both take turns; the ratio counts, as the machine's speed is in both.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and stops when something is wrong"
)]

use axum::body::Body;
use axum::routing::post;
use axum::{Json, Router};
use garde::Validate;
use http::Request;
use portcullis::Valid;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const BODY: &str = r#"{"article":"fountain pen","quantity":12,"price":24.5,"gift":true,"currency":"EUR","items":[{"sku":"nib-f","pieces":2},{"sku":"ink-blue","pieces":3}],"address":{"city":"Hamburg","street":"Elbchaussee 1"}}"#;
const BAD: &str = r#"{"article":"fountain pen","quantity":0,"price":"24.5","gift":true,"currency":"EUR","items":[{"sku":"nib-f","pieces":2},{"sku":"ink-blue","pieces":3}],"address":{"city":"Hamburg","town":"Elbchaussee"}}"#;

#[derive(Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
struct NewOrder {
    #[garde(length(chars, min = 1, max = 80))]
    article: String,
    #[garde(range(min = 1, max = 100))]
    quantity: u32,
    price: f64,
    gift: bool,
    #[garde(pattern("^[A-Z]{3}$"))]
    currency: String,
    #[garde(length(max = 20), dive)]
    items: Vec<Item>,
    #[garde(dive)]
    address: Address,
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Item {
    #[garde(length(chars, min = 2, max = 20))]
    sku: String,
    #[garde(range(min = 1))]
    pieces: u32,
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Address {
    #[garde(length(chars, min = 1, max = 80))]
    city: String,
    #[garde(length(chars, min = 1, max = 80))]
    street: String,
}

fn checksum(order: &NewOrder) -> String {
    let pieces: u32 = order
        .items
        .iter()
        .map(|item| item.pieces + item.sku.len() as u32)
        .sum();
    let texts = order.article.len() + order.currency.len();
    let address = order.address.city.len() + order.address.street.len();
    let gift = u32::from(order.gift);
    (order.quantity + pieces + gift + (texts + address) as u32 + order.price as u32).to_string()
}

fn main() {
    let runtime = Runtime::new().unwrap();
    let app: Router = Router::new()
        .route(
            "/plain",
            post(async |Json(order): Json<NewOrder>| checksum(&order)),
        )
        .route(
            "/valid",
            post(async |Valid(Json(order)): Valid<Json<NewOrder>>| checksum(&order)),
        );
    let call = |path: &str, body: &'static str, status: u16| -> Duration {
        runtime.block_on(async {
            let mut spent = Duration::ZERO;
            for _ in 0..500 {
                let request = Request::post(path).header("content-type", "application/json");
                let (request, app) = (request.body(Body::from(body)).unwrap(), app.clone());
                let began = Instant::now();
                assert_eq!(app.oneshot(request).await.unwrap().status(), status);
                spent += began.elapsed();
            }
            spent
        })
    };
    let mut rounds: [Vec<f64>; 3] = Default::default();
    for _ in 0..101 {
        rounds[0].push(micros(call("/plain", BODY, 200)));
        rounds[1].push(micros(call("/valid", BODY, 200)));
        rounds[2].push(micros(call("/valid", BAD, 422)));
    }
    let [plain, valid, bad] = rounds.map(median);
    println!("\na body of {} bytes, whole request:", BODY.len());
    println!("axum's Json           {plain:>8.2} us");
    println!(
        "Valid<Json>           {valid:>8.2} us   {:>6.2} times",
        valid / plain
    );
    println!(
        "Valid<Json>, 4 faults {bad:>8.2} us   {:>6.2} times\n",
        bad / plain
    );
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6 / 500.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
