//! Requests that carry a token: to the APIs it is for, and to nobody else.
//!
//! Whoever a request goes to is judged by scheme, host and port. To others it goes as it is, also
//! where a redirect leads there. A request that has an Authorization header already keeps it. A 401
//! has the token fetched anew and the request sent once more, if it can be; a server that wants a
//! nonce in the proof gets it the same way (RFC 9449, section 9).

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
use portcullis_provider::address::{fetchable, parse as parse_url};
use std::sync::Arc;
use url::{Origin, Url};

/// A source, and who may see its tokens.
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
        let read = |text: &str| {
            let fault = |problem: &str| {
                let cure = "write the API's origin: `https://`, the host, and the port where it is \
                    another than 443";
                ConfigError::wrong("origins", format!("{text:?}: {problem}")).help(cure)
            };
            let url = parse_url(text).map_err(fault)?;
            fetchable(&url).map_err(fault)?;
            Ok(url.origin())
        };
        let origins: Arc<[Origin]> = origins
            .into_iter()
            .map(read)
            .collect::<Result<_, ConfigError>>()?;
        if origins.is_empty() {
            let cure = "write the origin of the API that the tokens are for";
            return Err(ConfigError::expected("origins", "at least one origin")
                .found_as("none")
                .help(cure));
        }
        Ok(Self { source, origins })
    }

    /// The address of a request, if a token belongs to it.
    fn target(&self, url: &str, headers: &HeaderMap) -> Option<Url> {
        let url = Url::parse(url).ok()?;
        let ours = self.origins.contains(&url.origin()) && !headers.contains_key(AUTHORIZATION);
        ours.then_some(url)
    }

    /// Puts a token into the headers, and a proof beside it where it is bound to a key.
    async fn sign(
        &self,
        method: &Method,
        url: &Url,
        headers: &mut HeaderMap,
    ) -> Result<IssuedToken, Error> {
        let token = self.source.token().await?;
        let proof = self.source.client().proof(method.as_str(), url, &token)?;
        let proof = proof.and_then(|proof| HeaderValue::try_from(proof).ok());
        if let Some(mut proof) = proof {
            proof.set_sensitive(true);
            headers.insert(DPOP, proof);
        }
        headers.insert(AUTHORIZATION, token.authorization());
        Ok(token)
    }

    /// Whether it is worth trying once more, after what the server said to this token.
    fn again(
        &self,
        url: &Url,
        token: &IssuedToken,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> bool {
        let nonce = headers
            .get(DPOP_NONCE)
            .and_then(|nonce| nonce.to_str().ok());
        if let Some(nonce) = nonce {
            self.source.client().keep_nonce(url, nonce);
        }
        match status {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED
                if nonce.is_some() && wants_nonce(headers) =>
            {
                true
            }
            StatusCode::UNAUTHORIZED => self.source.invalidate(token),
            _ => false,
        }
    }
}

fn wants_nonce(headers: &HeaderMap) -> bool {
    let challenges = headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    challenges
        .into_iter()
        .any(|challenge| challenge.contains("use_dpop_nonce"))
}

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
