//! The layers around every handler: request ids, a span for each request, figures, limits of time
//! and size, bodies of errors, and CORS.

use crate::problem;
use crate::settings::Settings;
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use std::time::{Duration, Instant};
use tower_http::cors::CorsLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::Span;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest body, in bytes. An order has a few hundred.
const LONGEST: usize = 64 * 1024;

/// How long a handler may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Puts the layers around an application. They run from the last one to the first.
pub fn around(app: Router, settings: &Settings) -> Router {
    app.layer(DefaultBodyLimit::max(LONGEST))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            PATIENCE,
        ))
        .layer(from_fn(problem::complete))
        .layer(cors(settings))
        .layer(from_fn(measure))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
}

/// The line of a request in the log. The query stays out: it may hold secrets.
fn span(request: &Request) -> Span {
    let id = request.headers().get(REQUEST_ID);
    let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
    let path = request.uri().path();
    tracing::info_span!("request", method = %request.method(), path, request_id = id)
}

fn cors(settings: &Settings) -> CorsLayer {
    let mut origins = Vec::new();
    for origin in &settings.cors_origins {
        origins.extend(HeaderValue::from_str(origin).ok());
    }
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        // What a page needs to act on a refusal, beside what the API says itself.
        .expose_headers([LOCATION, RETRY_AFTER, WWW_AUTHENTICATE, REQUEST_ID])
}

/// Counts requests and their time, by method, route and status. The route is the pattern, not the
/// path: else every identifier would be a series of its own.
async fn measure(request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().to_string();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    let labels = [("method", method), ("route", route), ("status", status)];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_seconds", &labels).record(begin.elapsed());
    response
}
