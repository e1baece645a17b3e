//! A good body through `Valid<Json<T>>` and through axum's own `Json<T>`, with a known token and
//! without a guard, in one application.
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
use portcullis::{AuthorizedCaller, ResourceServer, Valid};
use portcullis_idp::{Idp, IdpConfig};
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
    let idp = runtime
        .block_on(Idp::start(IdpConfig::default()))
        .unwrap();
    let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
    let token = format!("Bearer {}", idp.token("alice").sign());
    let app = app(server);
    let call = |path: &str, body: &'static str, status: u16| -> Duration {
        runtime.block_on(async {
            let mut spent = Duration::ZERO;
            for _ in 0..500 {
                let request = Request::post(path)
                    .header("content-type", "application/json")
                    .header("authorization", &token);
                let (request, app) = (request.body(Body::from(body)).unwrap(), app.clone());
                let began = Instant::now();
                assert_eq!(app.oneshot(request).await.unwrap().status(), status);
                spent += began.elapsed();
            }
            spent
        })
    };
    let mut rounds: [Vec<f64>; 5] = Default::default();
    for _ in 0..101 {
        rounds[0].push(micros(call("/plain", BODY, 200)));
        rounds[1].push(micros(call("/valid", BODY, 200)));
        rounds[2].push(micros(call("/valid", BAD, 422)));
        rounds[3].push(micros(call("/guarded", BODY, 200)));
        rounds[4].push(micros(call("/guarded-plain", BODY, 200)));
    }
    let [plain, valid, bad, guarded, guarded_plain] = rounds.map(median);
    println!("\na body of {} bytes, whole request:", BODY.len());
    println!("axum's Json                  {plain:>8.2} us");
    for (name, micros) in [
        ("Valid<Json>", valid),
        ("Valid<Json>, 4 faults", bad),
        ("known token, axum's Json", guarded_plain),
        ("known token, Valid<Json>", guarded),
    ] {
        println!(
            "{name:<28} {micros:>8.2} us   {:>6.2} times",
            micros / plain
        );
    }
    println!();
}

fn app(server: ResourceServer) -> Router {
    let plain = async |Json(order): Json<NewOrder>| checksum(&order);
    let valid = async |Valid(Json(order)): Valid<Json<NewOrder>>| checksum(&order);
    let guarded =
        async |_: AuthorizedCaller, Valid(Json(order)): Valid<Json<NewOrder>>| checksum(&order);
    let guarded_plain = async |_: AuthorizedCaller, Json(order): Json<NewOrder>| checksum(&order);
    Router::new()
        .route("/plain", post(plain))
        .route("/valid", post(valid))
        .route("/guarded", post(guarded))
        .route("/guarded-plain", post(guarded_plain))
        .with_state(server)
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6 / 500.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
