//! What a request shows beside its token.

use super::Thumbprint;
use crate::EffectiveUrl;
use crate::credential::{Credential, Scheme};
use http::{HeaderMap, Method};

/// What a request shows beside its token.
#[derive(Clone, Copy, Debug)]
pub struct Presentation<'r> {
    /// The scheme under which the token came.
    pub scheme: Scheme,
    /// The token as it came: proofs name its hash.
    pub token: &'r str,
    /// The headers, where the proof is.
    pub headers: &'r HeaderMap,
    /// The method that the client used.
    pub method: &'r Method,
    /// What the client asked for. Without it no proof can be checked.
    pub url: Option<&'r EffectiveUrl>,
    /// The client certificate of the connection.
    pub certificate: Option<&'r Thumbprint>,
}

impl<'r> Presentation<'r> {
    /// A request that shows nothing but its token.
    pub fn bearer(credential: Credential<'r>, headers: &'r HeaderMap) -> Self {
        Self {
            scheme: credential.scheme(),
            token: credential.token(),
            headers,
            method: &Method::GET,
            url: None,
            certificate: None,
        }
    }
}
