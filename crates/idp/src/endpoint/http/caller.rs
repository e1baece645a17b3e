//! Who sends a request, as far as HTTP shows it, and the form that they send.

use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::endpoint::http::peer::Peer;
use crate::state::State;
use crate::token::encoding::sha256;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use rustls::pki_types::CertificateDer;
use std::convert::Infallible;
use std::sync::Arc;

/// The sender of a request.
pub(crate) struct Caller {
    pub(crate) headers: HeaderMap,
    pub(crate) method: Method,
    /// The path of the address that was asked.
    pub(crate) path: String,
    /// The certificates of the connection, its own first.
    pub(crate) certificates: Arc<[CertificateDer<'static>]>,
}

/// A form that was posted, each parameter once.
pub(crate) struct Form {
    pub(crate) caller: Caller,
    pub(crate) params: Params,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let path = parts.uri.path().to_owned();
        let peer = parts.extensions.get::<ConnectInfo<Peer>>();
        let certificates = peer
            .map(|ConnectInfo(peer)| Arc::clone(&peer.certificates))
            .unwrap_or_default();
        Ok(Self {
            headers: parts.headers.clone(),
            method: parts.method.clone(),
            path,
            certificates,
        })
    }
}

impl Caller {
    /// The thumbprint of its certificate (RFC 8705, section 3.1).
    pub(crate) fn x5t(&self) -> Option<String> {
        self.certificates.first().map(|own| sha256(own))
    }
}

impl FromRequest<Arc<State>> for Form {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &Arc<State>) -> Result<Self, OAuthError> {
        let (mut parts, body) = request.into_parts();
        let Ok(caller) = Caller::from_request_parts(&mut parts, state).await;
        let request = Request::from_parts(parts, body);
        let kind = caller
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if !kind
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("application/x-www-form-urlencoded")
        {
            return Err(OAuthError::invalid_request(
                "the body must be application/x-www-form-urlencoded",
            ));
        }
        let body = String::from_request(request, state).await;
        let body =
            body.map_err(|_| OAuthError::invalid_request("the body is too long, or no UTF-8"))?;
        Ok(Self {
            caller,
            params: Params::parse(&body)?,
        })
    }
}
