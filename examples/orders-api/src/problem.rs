//! What goes wrong in the application itself, as problem documents (RFC 9457) with the members that
//! the guards' documents have.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
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
    /// Whatever can happen to every handler.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// What can happen to every handler.
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
#[derive(Debug, Serialize, JsonSchema)]
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

fn answer(status: StatusCode, code: &str, detail: &dyn Display) -> Response {
    let document = ProblemDocument {
        kind: format!("urn:orders:{code}"),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        status: status.as_u16(),
        detail: detail.to_string(),
        code: code.to_owned(),
    };
    let mut response = (status, Json(document)).into_response();
    let problem = HeaderValue::from_static(PROBLEM);
    response.headers_mut().insert(CONTENT_TYPE, problem);
    response
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
