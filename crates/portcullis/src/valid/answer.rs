//! The answer to a request that cannot be read, or breaks a rule.

use super::fault::RequestFault;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use portcullis_core::CodeLinks;
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
    links: CodeLinks,
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
            links: CodeLinks::default(),
            request_id: request_id(headers),
        }
    }

    pub(super) fn with(mut self, faults: Vec<RequestFault>) -> Self {
        self.faults = faults;
        self
    }

    pub(super) fn with_links(mut self, links: CodeLinks) -> Self {
        self.links = links;
        self
    }

    /// Every code, with its status and its phrase.
    pub fn codes() -> Vec<(&'static str, StatusCode, &'static str)> {
        let mut codes = Vec::new();
        for reason in [
            Reason::Invalid,
            Reason::Unreadable,
            Reason::TooLarge,
            Reason::MediaType(""),
            Reason::Route,
            Reason::Schema,
        ] {
            codes.push((reason.code(), reason.status(), reason.detail()));
        }
        codes
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.reason.status()
    }

    /// The stable code, such as `request.invalid`.
    pub fn code(&self) -> &'static str {
        self.reason.code()
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
}

impl Reason {
    const fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Route | Self::Schema => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "request.invalid",
            Self::Unreadable => "request.unreadable",
            Self::TooLarge => "request.too_large",
            Self::MediaType(_) => "request.media_type",
            Self::Route => "server.route",
            Self::Schema => "server.schema",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Invalid => "the request does not have the form that this operation expects",
            Self::Unreadable => "the request cannot be read",
            Self::TooLarge => "the body is larger than this operation allows",
            Self::MediaType(_) => "the body has a media type that this operation does not read",
            Self::Route => "the route of this operation lacks a parameter",
            Self::Schema => "the schema of this operation cannot be checked",
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
            kind: self.links.problem_type(code),
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: self.reason.detail(),
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
        write!(f, "{}: {}", self.code(), self.reason.detail())?;
        for fault in &self.faults {
            write!(f, "; {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidRequest {}
