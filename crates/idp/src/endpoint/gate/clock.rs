//! The header `Date`, by a clock that a test may set wrong.

use crate::state::State;
use axum::extract;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::DATE;
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, UNIX_EPOCH};

/// A clock that is wrong shows in every answer.
pub(crate) async fn dated(
    extract::State(state): extract::State<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if state.clock_off.load(Ordering::SeqCst) != 0
        && let Some(now) = UNIX_EPOCH.checked_add(Duration::from_secs(state.now()))
        && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(now))
    {
        response.headers_mut().insert(DATE, date);
    }
    response
}
