//! The models of `conformance/e2e/validation/main.py`, and the application around them.

use axum::routing::post;
use axum::{Json, Router};
use garde::Validate;
use portcullis::{Valid, ValidInput};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

pub(super) fn app() -> Router {
    async fn read<T: ValidInput + Send>(_: Valid<Json<T>>) -> &'static str {
        "read"
    }
    Router::new()
        .route("/orders", post(read::<NewOrder>))
        .route("/payments", post(read::<Payment>))
        .route("/batches", post(read::<Batch>))
        .route("/prices", post(read::<Prices>))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Speed {
    Slow,
    Fast,
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Item {
    #[garde(length(chars, min = 2))]
    sku: String,
    #[garde(range(min = 1, max = 255))]
    pieces: u8,
}

#[allow(dead_code, reason = "what is read is not looked at")]
#[derive(Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
struct NewOrder {
    #[garde(length(chars, min = 1, max = 12))]
    article: String,
    #[garde(range(min = 1, max = 100))]
    quantity: u32,
    #[garde(range(min = 0.5))]
    price: f64,
    gift: bool,
    #[garde(pattern("^[A-Z]{3}$"))]
    currency: Option<String>,
    #[serde(default)]
    #[garde(length(max = 3), dive)]
    items: Vec<Item>,
    speed: Option<Speed>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    reference: Option<Uuid>,
    due: Option<Moment>,
    day: Option<Day>,
}

#[allow(dead_code, reason = "what is read is not looked at")]
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum PaymentKind {
    Card {
        #[garde(length(chars, min = 4))]
        number: String,
        #[garde(range(min = 1, max = 12))]
        month: u32,
    },
    Transfer {
        #[garde(skip)]
        iban: String,
    },
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Payment {
    #[garde(dive)]
    by: PaymentKind,
}

#[derive(Deserialize, Validate, JsonSchema)]
#[garde(transparent)]
struct Batch(#[garde(length(min = 1), dive)] Vec<Item>);

#[allow(dead_code, reason = "what is read is not looked at")]
#[derive(Deserialize, Validate, JsonSchema)]
struct Prices(#[garde(skip)] BTreeMap<String, f64>);

/// A text of a format, read as crates such as `uuid` and `jiff` do: with an error that quotes it.
macro_rules! text_of_format {
    ($name:ident, $format:literal, $length:expr) => {
        struct $name;

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                if $length.contains(&text.len()) {
                    return Ok(Self);
                }
                Err(serde::de::Error::custom(format!("no {}: {text}", $format)))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "format": $format})
            }
        }
    };
}

text_of_format!(Uuid, "uuid", 36..=36);
text_of_format!(Moment, "date-time", 20..=32);
text_of_format!(Day, "date", 10..=10);
