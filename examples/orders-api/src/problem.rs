//! Errors of the application as problem documents (RFC 9457), with the members that the guards'
//! documents have.

use axum::Json;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use portcullis::openapi::{DescribeResponse, Operation, Schemas};
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Display;
use thiserror::Error;

/// Why a handler has no result.
#[derive(Debug, Error)]
pub enum Problem {
    /// There is no such order, or it is somebody else's: nobody learns which.
    #[error("there is no such order")]
    NoSuchOrder,
    /// A failure that every handler can have.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// A failure that every handler can have.
#[derive(Debug, Error)]
pub enum Failure {
    /// The token is valid and does not say who the caller is, so nothing can belong to it.
    #[error("the token names no subject")]
    NoSubject,
    /// The database failed. The cause is for the log.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Failure::Database(error).into()
    }
}

/// The body.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct ProblemDocument {
    /// A URN with the code.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// A fixed phrase.
    detail: String,
    /// The stable code.
    code: String,
    /// The request in the log.
    request_id: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::NoSuchOrder => answer(StatusCode::NOT_FOUND, "order.absent", &self),
            Self::Failure(failure) => failure.into_response(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match &self {
            Self::NoSubject => answer(StatusCode::FORBIDDEN, "caller.unnamed", &self),
            Self::Database(error) => {
                tracing::error!(%error, "the database failed");
                // It may work again soon, and clients know that of a 503.
                answer(StatusCode::SERVICE_UNAVAILABLE, "outage.database", &self)
            }
        }
    }
}

/// A response that [`complete`] gives its body.
fn answer(status: StatusCode, code: &str, detail: &dyn Display) -> Response {
    let mut response = status.into_response();
    let document = ProblemDocument::new(status, code, &detail.to_string());
    response.extensions_mut().insert(document);
    response
}

/// Gives errors their bodies: those of handlers, and those of axum and of layers, which have none or
/// plain text. The guards and `Valid` write their own.
pub async fn complete(request: Request, next: Next) -> Response {
    let id = request.headers().get("x-request-id").cloned();
    let response = next.run(request).await;
    let (mut parts, body) = response.into_parts();
    let is_complete = parts
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|it| it == PROBLEM);
    let is_error = parts.status.is_client_error() || parts.status.is_server_error();
    if is_complete || !is_error {
        return Response::from_parts(parts, body);
    }
    let document = parts.extensions.remove::<ProblemDocument>();
    let mut document = document.unwrap_or_else(|| ProblemDocument::of_status(parts.status));
    if let Some(id) = id.as_ref().and_then(|id| id.to_str().ok()) {
        id.clone_into(&mut document.request_id);
    }
    parts.headers.remove(CONTENT_LENGTH);
    let mut response = (parts.status, parts.headers, Json(document)).into_response();
    let problem = HeaderValue::from_static(PROBLEM);
    response.headers_mut().insert(CONTENT_TYPE, problem);
    response
}

impl ProblemDocument {
    fn new(status: StatusCode, code: &str, detail: &str) -> Self {
        Self {
            kind: format!("urn:orders:{code}"),
            title: status
                .canonical_reason()
                .unwrap_or_default()
                .to_owned(),
            status: status.as_u16(),
            detail: detail.to_owned(),
            code: code.to_owned(),
            request_id: String::new(),
        }
    }

    /// The document for an error of axum or of a layer.
    fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("route.absent", "there is nothing at this address"),
            StatusCode::METHOD_NOT_ALLOWED => ("route.method", "this address has other methods"),
            StatusCode::SERVICE_UNAVAILABLE => ("outage.timeout", "the request took too long"),
            _ => ("request.failed", "the request cannot be handled"),
        };
        Self::new(status, code, detail)
    }
}

impl DescribeResponse for Problem {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        let text = "There is no such order of the caller.";
        operation.response_of::<ProblemDocument>("404", text, PROBLEM, schemas);
        Failure::describe(operation, schemas);
    }
}

impl DescribeResponse for Failure {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        let text = "The database, or the identity provider, cannot be reached.";
        operation.response_of::<ProblemDocument>("503", text, PROBLEM, schemas);
    }
}

const PROBLEM: &str = "application/problem+json";

#[cfg(test)]
mod tests {
    use super::*;

    /// A provider whose tokens need no subject shows it; the others refuse such tokens themselves.
    #[test]
    fn a_caller_without_a_name_is_forbidden() {
        assert_eq!(Failure::NoSubject.into_response().status(), 403);
    }
}
