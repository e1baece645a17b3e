//! The head of a request, and the form in its body.

use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::header::is_body_of;
use crate::endpoint::http::params::Params;
use crate::endpoint::http::peer::ConnectionPeer;
use crate::state::IdpState;
use crate::token::encoding::sha256;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use rustls::pki_types::CertificateDer;
use std::convert::Infallible;
use std::sync::Arc;

/// The head of a request, with the certificates of its connection.
pub(crate) struct RequestHead {
    pub(crate) headers: HeaderMap,
    pub(crate) method: Method,
    /// The path of the request.
    pub(crate) path: String,
    /// The certificates of the connection, the peer's own first.
    pub(crate) certificates: Arc<[CertificateDer<'static>]>,
}

/// A form, each parameter at most once.
pub(crate) struct PostedForm {
    pub(crate) caller: RequestHead,
    pub(crate) params: Params,
}

impl<S: Sync> FromRequestParts<S> for RequestHead {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Behind a server of one's own there is no peer, and so there are no certificates.
        let certificates = match parts.extensions.get::<ConnectInfo<ConnectionPeer>>() {
            Some(ConnectInfo(peer)) => Arc::clone(&peer.certificates),
            None => Arc::default(),
        };
        Ok(Self {
            headers: parts.headers.clone(),
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            certificates,
        })
    }
}

impl RequestHead {
    /// The thumbprint of the peer's certificate (RFC 8705, section 3.1).
    pub(crate) fn x5t(&self) -> Option<String> {
        self.certificates.first().map(|own| sha256(own))
    }
}

impl FromRequest<Arc<IdpState>> for PostedForm {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &Arc<IdpState>) -> Result<Self, OAuthError> {
        let (mut parts, body) = request.into_parts();
        let Ok(caller) = RequestHead::from_request_parts(&mut parts, state).await;
        if !is_body_of(&caller.headers, "application/x-www-form-urlencoded") {
            return Err(OAuthError::invalid_request(
                "the body must be application/x-www-form-urlencoded",
            ));
        }
        let request = Request::from_parts(parts, body);
        let Ok(body) = String::from_request(request, state).await else {
            return Err(OAuthError::invalid_request(
                "the body is too long or not UTF-8",
            ));
        };
        Ok(Self {
            caller,
            params: Params::parse(&body)?,
        })
    }
}
