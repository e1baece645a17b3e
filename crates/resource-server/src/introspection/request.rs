//! One question to the introspection endpoint, and the answer or the reason why there is none.
//!
//! Refuses every status but 200, every media type but the expected one, and a plain answer where a
//! signed one is demanded (RFC 9701): all of that says nothing about the token, and is an outage
//! for whoever asks.

use super::settings::IntrospectionSettings;
use portcullis_core::jose::compact;
use portcullis_core::token::introspection::Answer;
use portcullis_core::{Limits, Outage, OutageCode};
use portcullis_provider::client_auth::{ClientAuth, Proof};
use portcullis_provider::clock::Clock;
use portcullis_provider::fetch::{EndpointRequest, EndpointResponse, Fetch, Reach};
use portcullis_provider::keys::{KeyCache, KeyFault};
use portcullis_provider::metadata;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The introspection endpoint of an issuer.
pub(super) struct Endpoint {
    configured: Option<Url>,
    client: Arc<ClientAuth>,
    signed: bool,
    fetch: Fetch,
    keys: Arc<KeyCache>,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

/// Why there is no answer.
pub(super) struct Unanswered {
    pub(super) code: OutageCode,
    pub(super) reason: String,
    /// Whether the endpoint itself is at fault, so that nobody else should ask for a while.
    pub(super) endpoint_fails: bool,
    pub(super) retry_after: Option<Duration>,
}

impl Endpoint {
    pub(super) fn new(
        settings: &IntrospectionSettings,
        fetch: Fetch,
        keys: Arc<KeyCache>,
        limits: Limits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (configured, client) = (settings.endpoint.clone(), Arc::clone(&settings.client));
        Self {
            configured,
            client,
            signed: settings.signed,
            fetch,
            keys,
            limits,
            clock,
        }
    }

    /// Asks about a token (RFC 7662, section 2.1).
    pub(super) async fn ask(&self, token: &str) -> Result<Answer, Unanswered> {
        let (url, reach) = self.with_span().await?;
        let members = [("token", token), ("token_type_hint", "access_token")];
        let issuer = self.keys.issuer().as_str();
        let (body, authorization) = self
            .client
            .form(&members, issuer, self.clock.now())
            .map_err(Unanswered::ours)?;
        let accept = if self.signed { SIGNED } else { PLAIN };
        let question = EndpointRequest {
            url: &url,
            reach,
            body,
            accept,
            authorization,
            proof: None,
        };
        let answered = self
            .fetch
            .ask(question)
            .await
            .map_err(|fault| Unanswered::of(fault.to_string()))?;
        self.read(&url, answered).await
    }

    /// Whether the metadata is known, and names no endpoint, where the operator wrote none.
    pub(super) fn is_nowhere(&self) -> bool {
        let known = || self.keys.known_metadata();
        self.configured.is_none()
            && known().is_some_and(|(known, _)| !known.names(metadata::INTROSPECTION))
    }

    /// Where to ask: at the address that the operator wrote, or that the metadata names.
    async fn with_span(&self) -> Result<(Url, Reach), Unanswered> {
        if let Some(url) = &self.configured {
            return Ok((url.clone(), Reach::Anywhere));
        }
        let (metadata, reach) = self
            .keys
            .metadata()
            .await
            .map_err(|outage| Unanswered::before(&outage))?;
        let by_certificate = matches!(self.client.proof, Proof::Certificate(_));
        let alias = metadata
            .mtls_introspection_endpoint
            .filter(|_| by_certificate);
        let url = alias.or(metadata.introspection_endpoint);
        let none = || {
            Unanswered::ours(
                "the issuer's metadata names no introspection endpoint: write it as `endpoint`"
                    .to_owned(),
            )
        };
        url.map(|url| (url, reach)).ok_or_else(none)
    }

    async fn read(&self, url: &Url, answered: EndpointResponse) -> Result<Answer, Unanswered> {
        let EndpointResponse {
            status,
            content_type,
            retry_after,
            body,
            ..
        } = answered;
        if status != 200 {
            let told = match status {
                401 | 403 => " (the issuer does not take this client's word)",
                300..=399 => " (redirects are not followed)",
                _ => "",
            };
            // What one odd token can provoke must not keep everybody else from asking.
            let endpoint_fails =
                status >= 500 || matches!(status, 200..=399 | 401 | 403 | 404 | 429);
            let fault = Unanswered::of(format!("{url}: the answer was {status}{told}"));
            return Err(Unanswered {
                endpoint_fails,
                retry_after,
                ..fault
            });
        }
        let expected = if self.signed { SIGNED } else { PLAIN };
        if content_type != expected {
            return Err(Unanswered::of(format!(
                "{url}: the answer is not `{expected}`"
            )));
        }
        if self.signed {
            return self.open(url, &body).await;
        }
        Answer::parse(&body, &self.limits)
            .map_err(|fault| Unanswered::of(format!("{url}: {fault}")))
    }

    /// A signed answer, by one of the issuer's keys and for this client (RFC 9701, section 5).
    async fn open(&self, url: &Url, body: &[u8]) -> Result<Answer, Unanswered> {
        let fault = |reason: &str| Unanswered::of(format!("{url}: {reason}"));
        let text = std::str::from_utf8(body).map_err(|_| fault("the signed answer is no text"))?;
        let limits = Limits {
            token_bytes: self.limits.document_bytes,
            ..self.limits
        };
        let jws = compact::parse_jws(text.trim(), &limits).map_err(|rejection| {
            fault(&format!(
                "the signed answer is no JWT ({})",
                rejection.facts()
            ))
        })?;
        let signer = self.keys.signer(&jws).await.map_err(|lack| match lack {
            KeyFault::Outage(outage) => Unanswered::before(&outage),
            KeyFault::UnknownKey | KeyFault::WrongAlgorithm => {
                fault("the signed answer is by a key that the issuer does not publish")
            }
        })?;
        let signer = signer.ok_or_else(|| fault("the signature of the answer is wrong"))?;
        Answer::open(
            &jws,
            &[signer],
            self.keys.issuer(),
            &self.client.id,
            &self.limits,
        )
        .map_err(|reason| fault(&reason.to_string()))
    }
}

impl Unanswered {
    /// The endpoint is at fault.
    pub(super) fn of(reason: String) -> Self {
        Self {
            code: OutageCode::Introspection,
            reason,
            endpoint_fails: true,
            retry_after: None,
        }
    }

    /// We are.
    fn ours(reason: String) -> Self {
        Self {
            endpoint_fails: false,
            ..Self::of(reason)
        }
    }

    /// What was needed for asking could not be had.
    fn before(outage: &Outage) -> Self {
        let retry_after = Some(outage.retry_after());
        let (code, reason) = (outage.code(), outage.facts().to_owned());
        Self {
            code,
            reason,
            endpoint_fails: false,
            retry_after,
        }
    }
}

const PLAIN: &str = "application/json";
const SIGNED: &str = "application/token-introspection+jwt";
