//! Questions to an endpoint of an issuer: a form or a JSON document goes out, whatever comes back
//! is told as it is.
//!
//! The same rules as for documents: no redirects, so that credentials go nowhere else; https, or
//! http on loopback; bodies within the limit; and only outside addresses where a public issuer's
//! metadata names the endpoint.

use super::{Fetch, FetchFault, Reach, chain};
use crate::client_auth::Secret;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use std::fmt;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// What is asked, and by whom.
pub struct EndpointRequest<'q> {
    /// Where it goes.
    pub url: &'q Url,
    /// Where that may lead.
    pub reach: Reach,
    /// What goes out.
    pub body: EndpointBody,
    /// The media type that the answer should have.
    pub accept: &'static str,
    /// Who asks, where a header says so.
    pub authorization: Option<Authorization>,
    /// A proof that the asker holds a key: the header `DPoP` (RFC 9449, section 4.1).
    pub proof: Option<String>,
}

/// What goes out.
pub enum EndpointBody {
    /// Nothing: the question is the address.
    None,
    /// `application/x-www-form-urlencoded`: it may hold a token or a secret.
    Form(Zeroizing<String>),
    /// `application/json`.
    Json(&'static str),
}

/// What stands in the Authorization header.
pub enum Authorization {
    /// RFC 7617, with the two already encoded.
    Basic {
        /// The client's id.
        id: String,
        /// Its secret.
        secret: Secret,
    },
    /// RFC 6750.
    Bearer(Secret),
}

/// What an endpoint answered, whatever it was.
pub struct EndpointResponse {
    /// The status code.
    pub status: u16,
    /// In small letters, without parameters.
    pub content_type: String,
    /// When to ask again, where the answer says so in seconds (RFC 9110, section 10.2.3).
    pub retry_after: Option<Duration>,
    /// What to put into the next proof (RFC 9449, section 8): the header `DPoP-Nonce`.
    pub dpop_nonce: Option<String>,
    /// The body, within the limit. It is wiped when it is dropped: it may hold a token.
    pub body: Zeroizing<Vec<u8>>,
}

/// Shows the address only: the rest may hold secrets.
impl fmt::Debug for EndpointRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a question to {}", self.url)
    }
}

/// Shows what kind of body it is.
impl fmt::Debug for EndpointBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "nothing",
            Self::Form(_) => "a form",
            Self::Json(_) => "a JSON document",
        })
    }
}

/// Shows the scheme.
impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic",
            Self::Bearer(_) => "Bearer",
        })
    }
}

/// Shows the status only.
impl fmt::Debug for EndpointResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer {}", self.status)
    }
}

impl Fetch {
    /// Asks, and reads the answer within the limit.
    ///
    /// # Errors
    ///
    /// An address that may not be asked, and a server that gives no answer, or one that is too
    /// large.
    pub async fn ask(&self, question: EndpointRequest<'_>) -> Result<EndpointResponse, FetchFault> {
        let EndpointRequest {
            url,
            reach,
            body,
            accept,
            authorization,
            proof,
        } = question;
        let client = self.client_for(url, reach).await?;
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        let request = match body {
            EndpointBody::None => client.get(url.clone()),
            EndpointBody::Form(form) => with_body(client.post(url.clone()), FORM, form.as_bytes()),
            EndpointBody::Json(json) => with_body(client.post(url.clone()), JSON, json.as_bytes()),
        };
        let request = match authorization {
            None => request,
            Some(Authorization::Basic { id, secret }) => {
                request.basic_auth(id, Some(secret.expose()))
            }
            Some(Authorization::Bearer(token)) => request.bearer_auth(token.expose()),
        };
        let request = match proof {
            None => request,
            Some(proof) => request.header(DPOP, proof),
        };
        let response = request.header(ACCEPT, accept).send().await;
        self.read_response(
            url,
            response.map_err(|error| FetchFault::of(url, chain(&error)))?,
        )
        .await
    }

    async fn read_response(
        &self,
        url: &Url,
        response: Response,
    ) -> Result<EndpointResponse, FetchFault> {
        let status = response.status().as_u16();
        let text = |name: HeaderName| text(response.headers(), &name).to_ascii_lowercase();
        let content_type = text(CONTENT_TYPE)
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        let retry_after = text(RETRY_AFTER)
            .trim()
            .parse()
            .ok()
            .map(Duration::from_secs);
        let nonce = response
            .headers()
            .get(DPOP_NONCE)
            .and_then(|nonce| nonce.to_str().ok());
        let dpop_nonce = nonce.filter(|nonce| is_nonce(nonce)).map(str::to_owned);
        let body = self.body(url, response).await?.into();
        Ok(EndpointResponse {
            status,
            content_type,
            retry_after,
            dpop_nonce,
            body,
        })
    }
}

fn with_body(request: RequestBuilder, content_type: &'static str, body: &[u8]) -> RequestBuilder {
    request
        .header(CONTENT_TYPE, content_type)
        .body(body.to_vec())
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// RFC 9449, section 8.1: what may stand in a nonce, and no more of it than a header should hold.
fn is_nonce(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (1..=1_024).contains(&text.len()) && text.bytes().all(allowed)
}

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
