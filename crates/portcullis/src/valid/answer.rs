//! The answer to a request that cannot be read, or breaks a rule.

use super::fault::RequestFault;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use portcullis_resource_server::request_id;
use serde::Serialize;
use std::fmt;

/// A request that [`Valid`](crate::Valid) refuses.
///
/// As a response it is a problem document (RFC 9457). A handler that takes
/// `Result<Valid<E>, InvalidRequest>` can answer in its own way.
#[derive(Debug)]
pub struct InvalidRequest {
    reason: Reason,
    faults: Vec<RequestFault>,
    request_id: String,
}

/// Why a request is not handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It was read, and breaks the rules of the type.
    Invalid,
    /// Its bytes are none of a request.
    Unreadable,
    /// Its body is larger than allowed.
    TooLarge,
    /// Its body has another media type, or is encoded.
    MediaType(&'static str),
    /// The route does not have the parameters of the type.
    Route,
    /// The schema of the type cannot be checked.
    Schema,
}

impl InvalidRequest {
    pub(super) fn new(reason: Reason, headers: &HeaderMap) -> Self {
        Self {
            reason,
            faults: Vec::new(),
            request_id: request_id(headers),
        }
    }

    pub(super) fn with(mut self, faults: Vec<RequestFault>) -> Self {
        self.faults = faults;
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self.reason {
            Reason::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Reason::Unreadable => StatusCode::BAD_REQUEST,
            Reason::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Reason::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Reason::Route | Reason::Schema => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The stable code, such as `request.invalid`.
    pub fn code(&self) -> &'static str {
        match self.reason {
            Reason::Invalid => "request.invalid",
            Reason::Unreadable => "request.unreadable",
            Reason::TooLarge => "request.too_large",
            Reason::MediaType(_) => "request.media_type",
            Reason::Route => "server.route",
            Reason::Schema => "server.schema",
        }
    }

    /// What is wrong; empty unless the code is `request.invalid`.
    pub fn faults(&self) -> &[RequestFault] {
        &self.faults
    }

    /// One line for the operator, under the id that the caller gets; no name and no value.
    fn log(&self) {
        let (code, faults, request_id) = (self.code(), self.faults.len(), &self.request_id);
        if self.status().is_server_error() {
            tracing::warn!(code, request_id, "a request that this server cannot check");
        } else {
            tracing::info!(code, faults, request_id, "refused");
        }
    }

    fn detail(&self) -> &'static str {
        match self.reason {
            Reason::Invalid => "the request does not have the form that this operation expects",
            Reason::Unreadable => "the request cannot be read",
            Reason::TooLarge => "the body is larger than this operation allows",
            Reason::MediaType(_) => "the body has a media type that this operation does not read",
            Reason::Route => "the route of this operation lacks a parameter",
            Reason::Schema => "the schema of this operation cannot be checked",
        }
    }
}

/// The document: that of [`DenialResponse`](crate::DenialResponse), and the faults.
#[derive(Serialize)]
struct InvalidRequestDocument<'r> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'static str,
    code: &'static str,
    request_id: &'r str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'r [RequestFault],
}

impl IntoResponse for InvalidRequest {
    fn into_response(self) -> Response {
        self.log();
        let (status, code) = (self.status(), self.code());
        let document = InvalidRequestDocument {
            kind: format!("urn:portcullis:{code}"),
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: self.detail(),
            code,
            request_id: &self.request_id,
            errors: &self.faults,
        };
        // Names, numbers and texts cannot fail to serialize; an empty body is still a refusal.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, problem);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
        if let Reason::MediaType(wanted) = self.reason {
            // What would be read (RFC 9110, section 15.5.16).
            headers.insert(ACCEPT, HeaderValue::from_static(wanted));
        }
        response
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.detail())?;
        for fault in &self.faults {
            write!(f, "; {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidRequest {}
