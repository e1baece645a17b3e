//! What is sent to other programs: logout tokens and security events.
//!
//! By https, or by http to loopback. Redirects are not followed. Of an answer that refuses, as much
//! is read as an error needs.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs::default_provider;
use std::sync::OnceLock;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the body of an error may be, in bytes.
const LONGEST_ERROR: usize = 16 * 1024;

/// Sends; nothing is set up before the first time.
#[derive(Default)]
pub(crate) struct Outbound {
    client: OnceLock<Option<Client<HttpsConnector<HttpConnector>, Body>>>,
}

/// What is to be sent.
pub(crate) struct OutboundMessage<'m> {
    pub(crate) url: &'m str,
    pub(crate) content_type: &'static str,
    pub(crate) authorization: Option<&'m str>,
    pub(crate) body: String,
}

/// What came back.
pub(crate) struct OutboundAnswer {
    pub(crate) status: u16,
    /// Empty of a good answer, and of one that is too long for an error.
    pub(crate) body: String,
}

impl Outbound {
    /// Sends by POST; none where nobody answered in time.
    pub(crate) async fn post(&self, message: OutboundMessage<'_>) -> Option<OutboundAnswer> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(message.url)
            .header(CONTENT_TYPE, message.content_type)
            .header(ACCEPT, "application/json");
        if let Some(authorization) = message.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request
            .body(Body::from(Bytes::from(message.body)))
            .ok()?;
        let sent = self.client()?.request(request);
        let answer = async {
            let (head, body) = sent.await.ok()?.into_parts();
            let status = head.status.as_u16();
            let body = match head.status.is_success() {
                true => Bytes::new(),
                false => to_bytes(Body::new(body), LONGEST_ERROR)
                    .await
                    .unwrap_or_default(),
            };
            let body = String::from_utf8_lossy(&body).into_owned();
            Some(OutboundAnswer { status, body })
        };
        // A receiver that hangs must not hold up a logout.
        tokio::time::timeout(PATIENCE, answer).await.ok()?
    }

    fn client(&self) -> Option<&Client<HttpsConnector<HttpConnector>, Body>> {
        let new = || {
            let connector = HttpsConnectorBuilder::new();
            let connector = connector
                .with_provider_and_platform_verifier(default_provider())
                .ok()?;
            // `may_be_sent_to` has restricted plain http to loopback already.
            let connector = connector.https_or_http().enable_http1().build();
            Some(Client::builder(TokioExecutor::new()).build(connector))
        };
        // The platform's certificates take a moment to load, and most tests send nothing.
        self.client.get_or_init(new).as_ref()
    }
}
