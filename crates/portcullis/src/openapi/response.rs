//! The descriptions of a handler's result, and results that say their status.

use super::operation::Operation;
use super::schemas::Schemas;
use crate::DenialResponse;
use axum::Json;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

/// A result that describes the responses of an operation, and their bodies.
///
/// ```
/// use axum::http::StatusCode;
/// use axum::response::{IntoResponse, Response};
/// use portcullis::openapi::{DescribeResponse, Operation, Schemas};
///
/// struct OutOfStock;
///
/// impl IntoResponse for OutOfStock {
///     fn into_response(self) -> Response {
///         (StatusCode::CONFLICT, "out of stock").into_response()
///     }
/// }
///
/// impl DescribeResponse for OutOfStock {
///     fn describe(operation: &mut Operation, _: &mut Schemas) {
///         operation.response("409", "The item is out of stock.");
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the result `{Self}` does not say which responses there are",
    note = "implement `portcullis::openapi::DescribeResponse` for it"
)]
pub trait DescribeResponse {
    /// Adds the responses.
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

impl<T: DescribeResponse, E: DescribeResponse> DescribeResponse for Result<T, E> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        T::describe(operation, schemas);
        E::describe(operation, schemas);
    }
}

impl<T: JsonSchema> DescribeResponse for Json<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.response_of::<T>("200", "Success.", "application/json", schemas);
    }
}

/// 201 with the new resource, and its address in `Location`.
#[derive(Debug)]
pub struct CreatedResource<T> {
    /// The address of the new resource.
    pub location: String,
    /// The new resource.
    pub resource: T,
}

impl<T: Serialize> IntoResponse for CreatedResource<T> {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::CREATED, Json(self.resource)).into_response();
        // An address that no header can carry is left out; the resource is there all the same.
        if let Ok(location) = HeaderValue::try_from(self.location) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

impl<T: JsonSchema> DescribeResponse for CreatedResource<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.response_of::<T>("201", "Created.", "application/json", schemas);
        let text = schemas.schema_of::<String>();
        operation.response_header("201", "Location", "The address of the new resource.", &text);
    }
}

/// 204 without a body.
#[derive(Debug)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl DescribeResponse for NoContent {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.response("204", "Done.");
    }
}

impl DescribeResponse for () {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.response("200", "Success.");
    }
}

macro_rules! text {
    ($($result:ty => $media_type:literal),* $(,)?) => {
        $(
            impl DescribeResponse for $result {
                fn describe(operation: &mut Operation, schemas: &mut Schemas) {
                    operation.response_of::<String>("200", "Success.", $media_type, schemas);
                }
            }
        )*
    };
}

text!(&'static str => "text/plain", String => "text/plain");

impl<T> DescribeResponse for Html<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.response_of::<String>("200", "Success.", "text/html", schemas);
    }
}

impl DescribeResponse for Redirect {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.response("303", "It is at another address.");
    }
}

/// A response whose status only the handler knows.
impl DescribeResponse for Response {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.response("default", "The response.");
    }
}

impl DescribeResponse for StatusCode {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.response("default", "The response.");
    }
}

/// The answers of guards stand in the document already.
impl DescribeResponse for DenialResponse {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}
