//! Health and figures for operators, at an address of their own.

use crate::Application;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

/// The routes of operators.
pub fn router(application: Application, figures: PrometheusHandle) -> Router {
    let server = application.server.clone();
    let show = async move || {
        server.record_gauges();
        figures.render()
    };
    Router::new()
        .route("/health/live", get(async || "alive\n"))
        .route("/health/ready", get(ready))
        .with_state(application)
        .route("/metrics", get(show))
}

/// Ready is who can decide about tokens, and reach the database.
async fn ready(State(application): State<Application>) -> (StatusCode, &'static str) {
    if !application.server.is_ready() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "keys of an issuer are missing\n",
        );
    }
    if !application.store.is_ready().await {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n",
        );
    }
    (StatusCode::OK, "ready\n")
}
