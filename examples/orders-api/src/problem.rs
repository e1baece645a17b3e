//! What goes wrong in the application itself, as problem documents (RFC 9457) with the members that
//! the guards' documents have.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use portcullis::openapi::{DescribeResponse, Operation, Schemas};
use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

/// Why a handler has no result.
#[derive(Debug, Error)]
pub enum Problem {
    /// There is no such order, or it is somebody else's: nobody learns which.
    #[error("there is no such order")]
    NoSuchOrder,
    /// The token is valid and does not say who the caller is, so nothing can belong to it.
    #[error("the token names no subject")]
    NoSubject,
    /// The database failed. The cause is for the log.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchOrder => StatusCode::NOT_FOUND,
            Self::NoSubject => StatusCode::FORBIDDEN,
            // It may work again soon, and clients know that of a 503.
            Self::Database(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchOrder => "order.absent",
            Self::NoSubject => "caller.unnamed",
            Self::Database(_) => "outage.database",
        }
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
        if let Self::Database(error) = &self {
            tracing::error!(%error, "the database failed");
        }
        let status = self.status();
        let document = ProblemDocument {
            kind: format!("urn:orders:{}", self.code()),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: self.to_string(),
            code: self.code().to_owned(),
        };
        let mut response = (status, Json(document)).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, problem);
        response
    }
}

impl DescribeResponse for Problem {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        for (status, text) in [
            ("404", "There is no such order of the caller."),
            (
                "503",
                "The database, or the identity provider, cannot be reached.",
            ),
        ] {
            let media_type = "application/problem+json";
            operation.response_of::<ProblemDocument>(status, text, media_type, schemas);
        }
    }
}
