//! The header `Date`, by a clock that a test may set wrong.

use crate::state::IdpState;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::DATE;
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, UNIX_EPOCH};

/// A clock that is wrong shows in every answer.
pub(crate) async fn set_date(
    State(state): State<Arc<IdpState>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    // A correct clock leaves the header to the HTTP server.
    if state.clock_off.load(Ordering::SeqCst) != 0
        && let Some(now) = UNIX_EPOCH.checked_add(Duration::from_secs(state.now()))
        && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(now))
    {
        response.headers_mut().insert(DATE, date);
    }
    response
}
