//! The answer to a request that may not go on, as a type that axum accepts as a response.

use bytes::Bytes;
use http::{HeaderMap, Response};
use portcullis_core::Denial;
use portcullis_resource_server::ResourceServer;
use std::fmt;

/// The answer to a request that may not go on.
///
/// The client sees the code's fixed phrase; the facts are in the log, under the same request id.
///
/// ```
/// use bytes::Bytes;
/// use http::{HeaderMap, Response};
/// use portcullis::{Denial, DenialResponse, Rejection, ResourceServer};
///
/// let server = ResourceServer::new("https://idp.example", "https://api.example")?;
/// let denial = Denial::from(Rejection::of_unknown_key(Some("key-7")));
/// let answer = DenialResponse::new(denial, &server, &HeaderMap::new());
/// assert_eq!(answer.denial().code(), "token.key_unknown");
/// let response: Response<Bytes> = answer.into_response();
/// assert_eq!(response.status(), 401);
/// assert!(response.headers().contains_key("www-authenticate"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DenialResponse(portcullis_resource_server::DenialResponse);

impl DenialResponse {
    /// Makes the answer to a request with these headers, and logs the denial.
    pub fn new(denial: Denial, server: &ResourceServer, headers: &HeaderMap) -> Self {
        Self(portcullis_resource_server::DenialResponse::new(
            denial, server, headers,
        ))
    }

    /// The refusal or the outage.
    pub fn denial(&self) -> &Denial {
        self.0.denial()
    }

    /// The response: 400, 401 or 403 with a challenge, or 503.
    pub fn into_response<B: From<Bytes>>(self) -> Response<B> {
        self.0.into_response()
    }
}

impl fmt::Display for DenialResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for DenialResponse {}

#[cfg(feature = "axum")]
impl axum_core::response::IntoResponse for DenialResponse {
    fn into_response(self) -> axum_core::response::Response {
        // The inherent method wins over the one of the trait, so this is no recursion.
        Self::into_response(self)
    }
}
