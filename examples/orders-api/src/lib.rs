//! Orders, as a team would start: a protected API on a database, with its description, its
//! problems, its figures and its tests. README.md says what stands in which file.

pub mod admin;
pub mod guards;
pub mod middleware;
pub mod model;
pub mod orders;
pub mod problem;
pub mod settings;
pub mod store;

use axum::Router;
use axum::extract::FromRef;
use portcullis::ResourceServer;
use portcullis::openapi::{ApiInfo, ApiRouter, DocsPage, OpenApi, SecuritySchemes};
use settings::Settings;
use store::Store;

/// The state that handlers share.
#[derive(Clone, Debug, FromRef)]
pub struct Application {
    /// The token check.
    pub server: ResourceServer,
    /// Where the orders are.
    pub store: Store,
}

/// The API, and its document.
pub async fn app(application: Application, settings: &Settings) -> (Router, OpenApi) {
    let schemes = SecuritySchemes::discover(&application.server).await;
    let (api, document) = ApiRouter::new()
        .nest("/orders", orders::routes())
        .with_state::<()>(application)
        .finish(info(), &schemes);
    let page = DocsPage::new(&settings.docs_client)
        .scope("orders:read")
        .scope("orders:write");
    let app = api.merge(page.router(&document, "/docs", "/openapi.json"));
    (middleware::around(app, settings), document)
}

fn info() -> ApiInfo {
    ApiInfo::new("Orders", env!("CARGO_PKG_VERSION"))
        .description("Everybody sees and changes their own orders; an `Admin` may delete any.")
}
