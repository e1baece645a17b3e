//! Requests to an endpoint of an issuer: a form or a JSON document goes out, and the response comes
//! back as it is.
//!
//! The same rules as for documents: no redirects, so that credentials go nowhere else; https, or
//! http on loopback; bodies within the limit; and only outside addresses where a public issuer's
//! metadata names the endpoint.

use super::{Fetch, FetchFault, Reach};
use crate::client_auth::Secret;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{RequestBuilder, Response};
use std::fmt;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// A request to an endpoint, and the credentials that go with it.
pub struct EndpointRequest<'q> {
    /// The address of the endpoint.
    pub url: &'q Url,
    /// Where that may lead.
    pub reach: Reach,
    /// What goes out.
    pub body: EndpointBody,
    /// The media type that the response should have.
    pub accept: &'static str,
    /// The credentials, where a header holds them.
    pub authorization: Option<Authorization>,
    /// A proof that the caller holds a key: the header `DPoP` (RFC 9449, section 4.1).
    pub proof: Option<String>,
}

/// The body of a request.
#[non_exhaustive]
pub enum EndpointBody {
    /// Nothing: the request is the address.
    None,
    /// `application/x-www-form-urlencoded`: it may hold a token or a secret.
    Form(Zeroizing<String>),
    /// `application/json`.
    Json(&'static str),
}

/// The content of the Authorization header.
#[non_exhaustive]
pub enum Authorization {
    /// RFC 7617, with both parts already encoded.
    Basic {
        /// The client's id.
        id: String,
        /// Its secret.
        secret: Secret,
    },
    /// RFC 6750.
    Bearer(Secret),
    /// The whole header as somebody wrote it: the scheme and the credentials.
    Header(Secret),
}

/// The response of an endpoint, whatever it is.
pub struct EndpointResponse {
    /// The status code.
    pub status: u16,
    /// In lower case, without parameters.
    pub content_type: String,
    /// When to ask again, where the response says so in seconds (RFC 9110, section 10.2.3).
    pub retry_after: Option<Duration>,
    /// The nonce for the next proof (RFC 9449, section 8): the header `DPoP-Nonce`.
    pub dpop_nonce: Option<String>,
    /// The body, within the limit. It is wiped when it is dropped: it may hold a token.
    pub body: Zeroizing<Vec<u8>>,
}

/// Shows the address only: the rest may hold secrets.
impl fmt::Debug for EndpointRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a request to {}", self.url)
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
            Self::Header(_) => "a header",
        })
    }
}

/// Shows the status only.
impl fmt::Debug for EndpointResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the response {}", self.status)
    }
}

impl Fetch {
    /// Sends the request, and reads the response within the limit.
    ///
    /// # Errors
    ///
    /// An address that may not be asked; a server that gives no response, or one that is too large.
    pub async fn ask(&self, request: EndpointRequest<'_>) -> Result<EndpointResponse, FetchFault> {
        let EndpointRequest {
            url,
            reach,
            body,
            accept,
            authorization,
            proof,
        } = request;
        let client = self.client_for(url, reach).await?;
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        let mut outgoing = match body {
            EndpointBody::None => client.get(url.clone()),
            EndpointBody::Form(form) => with_body(client.post(url.clone()), FORM, form.as_bytes()),
            EndpointBody::Json(json) => with_body(client.post(url.clone()), JSON, json.as_bytes()),
        };
        if let Some(authorization) = &authorization {
            outgoing = authorization.apply(outgoing);
        }
        // Made by the caller: a proof is for one request (RFC 9449, section 4.2).
        if let Some(proof) = proof {
            outgoing = outgoing.header(DPOP, proof);
        }
        match outgoing.header(ACCEPT, accept).send().await {
            Ok(response) => self.read_response(url, response).await,
            Err(error) => Err(self.network_fault(url, &error).await),
        }
    }

    pub(super) async fn read_response(
        &self,
        url: &Url,
        response: Response,
    ) -> Result<EndpointResponse, FetchFault> {
        let status = response.status().as_u16();
        let headers = response.headers();
        let media_type = text(headers, &CONTENT_TYPE).split(';').next();
        let content_type = media_type
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        // The other form of the header is a date. It is ignored: our clock may differ from theirs.
        let retry_after = text(headers, &RETRY_AFTER).trim().parse().ok();
        let nonce = text(headers, &DPOP_NONCE);
        let dpop_nonce = is_nonce(nonce).then(|| nonce.to_owned());
        Ok(EndpointResponse {
            status,
            content_type,
            retry_after: retry_after.map(Duration::from_secs),
            dpop_nonce,
            body: self.body(url, response).await?.into(),
        })
    }
}

impl Authorization {
    /// Reads a whole header, such as `Bearer x`.
    ///
    /// # Errors
    ///
    /// What a header cannot hold. Nothing of the text is in the error.
    pub fn header(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty");
        }
        match HeaderValue::from_str(text) {
            Ok(_) => Ok(Self::Header(Secret::new(text))),
            Err(_) => Err("it holds a line break or another character that no header can hold"),
        }
    }

    pub(super) fn apply(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Basic { id, secret } => request.basic_auth(id, Some(secret.expose())),
            Self::Bearer(token) => request.bearer_auth(token.expose()),
            Self::Header(header) => match HeaderValue::from_str(header.expose()) {
                Ok(mut value) => {
                    // Kept out of logs of the HTTP client, and out of the tables of HTTP/2.
                    value.set_sensitive(true);
                    request.header(AUTHORIZATION, value)
                }
                // Not checked before: the server then refuses the request.
                Err(_) => request,
            },
        }
    }

    /// What must never show in a text.
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Basic { secret, .. } => secret,
            Self::Bearer(secret) | Self::Header(secret) => secret,
        }
    }
}

fn with_body(request: RequestBuilder, content_type: &'static str, body: &[u8]) -> RequestBuilder {
    request
        .header(CONTENT_TYPE, content_type)
        .body(body.to_vec())
}

/// The first header of this name; empty where there is none, or where it is no text.
fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    let Some(value) = headers.get(name) else {
        return "";
    };
    value.to_str().unwrap_or_default()
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
