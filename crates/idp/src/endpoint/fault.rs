//! What an endpoint answers in place of what it should, on command.

use super::error::OAuthError;
use crate::faults::Fault;
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

/// The faulty answer to a request for this address, where the document would be the proper one; none where the
/// endpoint works.
pub(super) async fn instead_of(document: &str, fault: Fault, uri: &Uri) -> Option<Response> {
    let json = [(CONTENT_TYPE, "application/json")];
    Some(match fault {
        Fault::None => return None,
        Fault::InternalError => (StatusCode::INTERNAL_SERVER_ERROR, "on command").into_response(),
        Fault::Html => {
            ([(CONTENT_TYPE, "text/html")], "<!doctype html><title>Sign in</title>").into_response()
        }
        Fault::Huge => (json, vec![b' '; 10_000_000]).into_response(),
        Fault::Redirect => (StatusCode::FOUND, [(LOCATION, uri.path())]).into_response(),
        Fault::Hang => std::future::pending().await,
        Fault::Empty => (json, r#"{"keys":[]}"#).into_response(),
        Fault::Truncated => {
            (json, document.chars().take(document.len() / 2).collect::<String>()).into_response()
        }
        Fault::Unauthorized => OAuthError::invalid_client().into_response(),
        Fault::TooManyRequests => {
            (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "7")], "on command").into_response()
        }
    })
}
