//! An OpenAPI 3.1 document that the handlers write themselves.
//!
//! The guard in a handler's signature is what is checked, and what stands in the document: the two
//! cannot differ. So do the parameters, the bodies and the responses.
//!
//! ```
//! use axum::{Json, Router, extract::Path};
//! use portcullis::openapi::{ApiInfo, ApiRouter, SecuritySchemes, get};
//! use portcullis::{AuthorizedCaller, ResourceServer, requirement};
//! use schemars::JsonSchema;
//! use serde::Serialize;
//!
//! requirement!(Reader = scope("orders:read"));
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Order { id: u64, item: String }
//!
//! async fn read_order(_: AuthorizedCaller<Reader>, Path(id): Path<u64>) -> Json<Order> {
//!     Json(Order { id, item: "anvil".to_owned() })
//! }
//!
//! let server = ResourceServer::new("https://idp.example", "https://api.example")?;
//! let schemes = SecuritySchemes::of(&server);
//! let (app, document) = ApiRouter::new()
//!     .route("/orders/{id}", get(read_order).summary("Read an order"))
//!     .with_state::<()>(server)
//!     .finish(ApiInfo::new("Orders", "1.0"), &schemes);
//!
//! let operation = &document.as_value()["paths"]["/orders/{id}"]["get"];
//! assert_eq!(operation["security"][0]["openIdConnect"][0], "orders:read");
//! let routes: Vec<String> = document.routes().iter().map(ToString::to_string).collect();
//! assert_eq!(routes, ["GET /orders/{id}: scope `orders:read`"]);
//! let app: Router = app.merge(document.router("/openapi.json"));
//! # let _ = app;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`ApiRouter`] has no way to add a route that the document leaves out.
//! - An argument describes itself by [`DescribeArgument`], a result by [`DescribeResponse`]; those
//!   of axum do, and an application's own can.
//! - [`OpenApi::routes`] lists who may call what: for a test, and for a review.
//!
//! What it does not do: it reads no comments, so a summary is the function's name or what
//! [`ApiMethodRouter::summary`] says; and it describes no callbacks and no webhooks.

mod argument;
mod described_response;
mod described_route;
mod document;
mod endpoint;
mod operation;
#[cfg(feature = "swagger-ui")]
mod page;
#[cfg(feature = "swagger-ui")]
mod page_file;
mod response;
mod responses;
mod router;
mod schemas;
mod schemes;
mod security;

pub use argument::{DescribeArgument, DescribeOptionalArgument};
pub use document::{ApiInfo, OpenApi, RouteAccess};
pub use endpoint::Endpoint;
pub use operation::Operation;
#[cfg(feature = "swagger-ui")]
pub use page::DocsPage;
pub use response::{CreatedResource, DescribeResponse, NoContent};
pub use router::{ApiMethodRouter, ApiRouter, delete, get, patch, post, put};
pub use schemas::Schemas;
pub use schemes::SecuritySchemes;
pub use security::Access;
