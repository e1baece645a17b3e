//! Tokens in requests: to the APIs they are for, and to nobody else.
//!
//! The target of a request is its scheme, host and port. A request to any other target stays as it
//! is, also after a redirect. An existing header `Authorization` stays as well. After a 401, a new
//! token is fetched and the request is repeated once, if its body allows it. The same happens if
//! the server wants a nonce in the proof (RFC 9449, section 9).

#[cfg(feature = "reqwest-middleware")]
mod reqwest;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "reqwest-middleware")]
pub use reqwest::TokenMiddleware;
#[cfg(feature = "tower")]
pub use tower::{TokenLayer, TokenService};

use crate::error::Error;
use crate::source::TokenSource;
use crate::token::IssuedToken;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use portcullis_core::ConfigError;
use portcullis_provider::address;
use std::sync::Arc;
use url::{Origin, Url};

/// A source, and the origins that may see its tokens.
#[derive(Clone, Debug)]
struct TokenAttacher {
    source: TokenSource,
    origins: Arc<[Origin]>,
}

impl TokenAttacher {
    fn new<'o>(
        source: TokenSource,
        origins: impl IntoIterator<Item = &'o str>,
    ) -> Result<Self, ConfigError> {
        let origins: Result<Arc<[Origin]>, ConfigError> = origins.into_iter().map(origin).collect();
        let origins = origins?;
        // Without this error a typing mistake would send every request without a token.
        if origins.is_empty() {
            let help = "write the origin of the API that the tokens are for";
            let fault = ConfigError::expected("origins", "at least one origin");
            return Err(fault.found_as("none").help(help));
        }
        Ok(Self { source, origins })
    }

    /// The address of a request, if a token belongs into it.
    fn target(&self, url: &str, headers: &HeaderMap) -> Option<Url> {
        let url = Url::parse(url).ok()?;
        // The caller's own credential is deliberate, so it wins.
        if headers.contains_key(AUTHORIZATION) || !self.origins.contains(&url.origin()) {
            return None;
        }
        Some(url)
    }

    /// Puts a token into the headers, with a proof if the token is bound to a key.
    async fn sign(
        &self,
        method: &Method,
        url: &Url,
        headers: &mut HeaderMap,
    ) -> Result<IssuedToken, Error> {
        let token = self.source.token().await?;
        // A repetition needs a new proof: each one has a `jti`, which a server accepts once.
        let proof = self
            .source
            .client()
            .proof(method.as_str(), url, &token)?;
        if let Some(proof) = proof
            && let Ok(mut proof) = HeaderValue::try_from(proof)
        {
            proof.set_sensitive(true);
            headers.insert(DPOP, proof);
        }
        headers.insert(AUTHORIZATION, token.authorization());
        Ok(token)
    }

    /// Whether a repetition may succeed, after this response to a request with this token.
    fn should_repeat(
        &self,
        url: &Url,
        token: &IssuedToken,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> bool {
        let nonce = headers.get(DPOP_NONCE).map(HeaderValue::to_str);
        if let Some(Ok(nonce)) = nonce {
            self.source.client().keep_nonce(url, nonce);
            // The token is good; only the proof lacked the nonce. So the token stays.
            if matches!(status.as_u16(), 400 | 401) && wants_nonce(headers) {
                return true;
            }
        }
        status == StatusCode::UNAUTHORIZED && self.source.invalidate(token)
    }
}

/// The origin in a setting.
fn origin(text: &str) -> Result<Origin, ConfigError> {
    // http only to loopback: a token in clear text is anybody's.
    match address::parse_fetchable(text, false) {
        Ok(url) => Ok(url.origin()),
        Err(problem) => {
            let problem = format!("{text:?}: {problem}");
            let help =
                "write the API's origin: `https://`, the host, and the port if it is not 443";
            Err(ConfigError::wrong("origins", problem).help(help))
        }
    }
}

fn wants_nonce(headers: &HeaderMap) -> bool {
    for challenge in headers.get_all(WWW_AUTHENTICATE) {
        if let Ok(challenge) = challenge.to_str()
            && challenge.contains("use_dpop_nonce")
        {
            return true;
        }
    }
    false
}

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
