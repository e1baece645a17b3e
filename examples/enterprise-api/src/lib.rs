//! The usual enterprise API: one endpoint for anyone, one for any valid token, one for the role
//! `Admin`; and its description, at `/openapi.json` and `/docs`.

use axum::{Json, Router};
use portcullis::openapi::{ApiInfo, ApiRouter, DocsPage, SecuritySchemes, get};
use portcullis::{AuthorizedCaller, ResourceServer, requirement};
use serde_json::{Value, json};

requirement!(
    /// Who may see the dashboard.
    pub Admin = role("Admin")
);

/// The API, protected by this server. Its page signs in as this client.
pub async fn app(server: ResourceServer, docs_client: &str) -> Router {
    let schemes = SecuritySchemes::discover(&server).await;
    let (app, document) = ApiRouter::new()
        .route("/public-data", get(public_data))
        .route("/protected-data", get(protected_data))
        .route("/admin-dashboard", get(admin_dashboard))
        .with_state::<()>(server)
        .finish(ApiInfo::new("Enterprise API", "1.0"), &schemes);
    app.merge(DocsPage::new(docs_client).router(&document, "/docs", "/openapi.json"))
}

async fn public_data() -> Json<Value> {
    Json(json!({ "message": "anyone may read this" }))
}

async fn protected_data(user: AuthorizedCaller) -> Json<Value> {
    Json(json!({
        "message": format!("Hello, {}!", user.name()),
        "user_id": user.user_id(),
        "claims": user.claims().object(),
    }))
}

async fn admin_dashboard(admin: AuthorizedCaller<Admin>) -> Json<Value> {
    Json(json!({ "message": format!("Welcome to the admin dashboard, {}!", admin.name()) }))
}
