//! The answer to a request that may not go on, as a type that axum takes for a response.

use bytes::Bytes;
use http::{HeaderMap, Response};
use portcullis_core::Denial;
use portcullis_resource_server::ResourceServer;
use std::fmt;

/// A request that may not go on, ready to be answered.
///
/// The client sees the code's fixed phrase; the facts are in the log, under the same request id.
#[derive(Debug)]
pub struct Refused(portcullis_resource_server::DenialResponse);

impl Refused {
    /// Makes the answer to a request with these headers, and logs the denial.
    pub fn new(denial: Denial, server: &ResourceServer, headers: &HeaderMap) -> Self {
        Self(portcullis_resource_server::DenialResponse::new(
            denial, server, headers,
        ))
    }

    /// Why.
    pub fn denial(&self) -> &Denial {
        self.0.denial()
    }

    /// The response: 400, 401 or 403 with a challenge, or 503.
    pub fn into_response<B: From<Bytes>>(self) -> Response<B> {
        self.0.into_response()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}

#[cfg(feature = "axum")]
impl axum_core::response::IntoResponse for Refused {
    fn into_response(self) -> axum_core::response::Response {
        Self::into_response(self)
    }
}
