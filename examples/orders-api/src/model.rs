//! The bodies and parameters. Their rules are checked, and stand in the document.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order to be made, or what an order becomes.
#[derive(Clone, Debug, Deserialize, JsonSchema, Validate)]
pub struct NewOrder {
    /// The article's number: two letters, a dash, and digits.
    #[garde(length(chars, min = 4, max = 20), pattern("^[A-Z]{2}-[0-9]+$"))]
    pub item: String,
    /// How many of it.
    #[garde(range(min = 1, max = 1000))]
    pub quantity: u32,
    /// What the packer should know.
    #[garde(length(chars, max = 200))]
    pub note: Option<String>,
}

/// An order.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Order {
    /// It is made by the server, and later ones are greater.
    pub id: String,
    /// The article's number.
    pub item: String,
    /// How many of it.
    pub quantity: i64,
    /// What the packer should know.
    pub note: Option<String>,
    /// Seconds since 1970.
    pub created_at: i64,
}

/// Which part of a list.
#[derive(Clone, Debug, Deserialize, JsonSchema, Validate)]
pub struct Page {
    /// So many at most.
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "usual_limit")]
    pub limit: u32,
    /// The ones after this order.
    #[garde(length(chars, max = 36))]
    pub after: Option<String>,
}

fn usual_limit() -> u32 {
    20
}

/// A part of a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Orders {
    /// The orders, the oldest first.
    pub items: Vec<Order>,
    /// Send it as `after` for the next ones. Null at the end.
    pub next: Option<String>,
}

/// The order that a path names.
#[derive(Clone, Debug, Deserialize, JsonSchema, Validate)]
pub struct OrderPath {
    /// The order.
    #[garde(length(chars, min = 36, max = 36), pattern("^[0-9a-f-]+$"))]
    pub id: String,
}
