//! Questions to an endpoint of an issuer: a form or a JSON document goes out, whatever comes back is told as it is.
//!
//! The same rules as for documents: no redirects, so that credentials go nowhere else; https, or http on loopback;
//! bodies within the limit; and only outside addresses where a public issuer's metadata names the endpoint.

use super::{Fetch, FetchFault, Reach, chain};
use crate::client_auth::Secret;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use std::time::Duration;
use url::Url;

/// What is asked, and by whom.
pub(crate) struct Question<'q> {
    pub(crate) url: &'q Url,
    pub(crate) reach: Reach,
    pub(crate) body: Body,
    /// The media type that the answer should have.
    pub(crate) accept: &'static str,
    pub(crate) authorization: Option<Authorization>,
}

/// What goes out.
pub(crate) enum Body {
    /// Nothing: the question is the address.
    None,
    /// `application/x-www-form-urlencoded`: it may hold a token or a secret.
    Form(String),
    /// `application/json`.
    Json(&'static str),
}

/// What stands in the Authorization header.
pub(crate) enum Authorization {
    /// RFC 7617, with the two already encoded.
    Basic { id: String, secret: String },
    /// RFC 6750.
    Bearer(Secret),
}

/// What an endpoint answered, whatever it was.
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// In small letters, without parameters.
    pub(crate) content_type: String,
    /// When to ask again, where the answer says so in seconds (RFC 9110, section 10.2.3).
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

impl Fetch {
    /// Asks, and reads the answer within the limit.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Result<Answered, FetchFault> {
        let Question { url, reach, body, accept, authorization } = question;
        let client = self.client_for(url, reach)?;
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        let request = match body {
            Body::None => client.get(url.clone()),
            Body::Form(form) => with_body(client.post(url.clone()), FORM, form),
            Body::Json(json) => with_body(client.post(url.clone()), JSON, json.to_owned()),
        };
        let request = match authorization {
            None => request,
            Some(Authorization::Basic { id, secret }) => request.basic_auth(id, Some(secret)),
            Some(Authorization::Bearer(token)) => request.bearer_auth(token.expose()),
        };
        let response = request.header(ACCEPT, accept).send().await;
        self.answered(url, response.map_err(|error| FetchFault::of(url, chain(&error)))?).await
    }

    async fn answered(&self, url: &Url, response: Response) -> Result<Answered, FetchFault> {
        let status = response.status().as_u16();
        let text = |name: HeaderName| text(response.headers(), &name).to_ascii_lowercase();
        let content_type = text(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_owned();
        let retry_after = text(RETRY_AFTER).trim().parse().ok().map(Duration::from_secs);
        let body = self.body(url, response).await?;
        Ok(Answered { status, content_type, retry_after, body })
    }
}

fn with_body(request: RequestBuilder, content_type: &'static str, body: String) -> RequestBuilder {
    request.header(CONTENT_TYPE, content_type).body(body)
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
