//! Our own token for the directory, by client credentials (RFC 6749, section 4.4), kept until
//! shortly before it ends.

use super::{Failure, GroupsSettings, JSON, document, malformed};
use portcullis_core::Limits;
use portcullis_core::dialect::TENANT;
use portcullis_core::jose::json::{Json, Object};
use portcullis_provider::client_auth::{ClientAuth, Proof, Secret};
use portcullis_provider::clock::Clock;
use portcullis_provider::fetch::{EndpointRequest, Fetch, Reach};
use portcullis_provider::keys::KeyCache;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use url::Url;

/// The token of our client for the directory.
pub(super) struct ClientToken {
    endpoint: Option<Url>,
    client: Arc<ClientAuth>,
    scope: String,
    fetch: Fetch,
    keys: Arc<KeyCache>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    /// Held while a new one is fetched: the others wait for it.
    held: Mutex<Option<(Secret, Duration)>>,
}

/// So much before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(60);
/// What is assumed where the answer does not say how long the token lasts (RFC 6749, section 5.1).
const SHORT: Duration = Duration::from_secs(120);
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

impl ClientToken {
    pub(super) fn new(
        settings: &GroupsSettings,
        tenant: Option<&str>,
        fetch: Fetch,
        keys: Arc<KeyCache>,
        limits: Limits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let endpoint = settings.token_endpoint.as_deref();
        let endpoint = endpoint.map(|text| text.replace(TENANT, tenant.unwrap_or(TENANT)));
        Self {
            endpoint: endpoint.and_then(|text| Url::parse(&text).ok()),
            client: Arc::clone(&settings.client),
            scope: format!("{}/.default", settings.graph.as_str().trim_end_matches('/')),
            fetch,
            keys,
            limits,
            clock,
            held: Mutex::new(None),
        }
    }

    /// The one that is held, or a new one.
    pub(super) async fn current(&self) -> Result<Secret, Failure> {
        let mut held = self.held.lock().await;
        if let Some((token, until)) = &*held
            && self.clock.elapsed() < *until
        {
            return Ok(token.clone());
        }
        let (token, lasting) = self.fetch_token().await?;
        *held = Some((
            token.clone(),
            self.clock.elapsed() + lasting.saturating_sub(MARGIN),
        ));
        Ok(token)
    }

    /// Drops a token that the directory does not take, unless there is a newer one.
    pub(super) async fn forget(&self, refused: &Secret) {
        let mut held = self.held.lock().await;
        held.take_if(|(token, _)| token == refused);
    }

    async fn fetch_token(&self) -> Result<(Secret, Duration), Failure> {
        let (url, reach) = self.with_span().await?;
        let members = [
            ("grant_type", "client_credentials"),
            ("scope", self.scope.as_str()),
        ];
        // Entra ID wants its token endpoint as the addressee of an assertion.
        let (body, authorization) = self
            .client
            .form(&members, url.as_str(), self.clock.now())
            .map_err(Failure::of)?;
        let question = EndpointRequest {
            url: &url,
            reach,
            body,
            accept: JSON,
            authorization,
            proof: None,
        };
        let answered = self
            .fetch
            .ask(question)
            .await
            .map_err(|fault| Failure::of(fault.to_string()))?;
        // That the client is refused here is no reason to come back with another token.
        let answer = document(&url, answered, &self.limits).map_err(|failure| Failure {
            endpoint_fails: true,
            unauthorized: false,
            ..failure
        })?;
        answer
            .as_object()
            .and_then(read)
            .ok_or_else(|| malformed(&url, "no bearer token"))
    }

    /// At the address that the operator wrote, or that the metadata names.
    async fn with_span(&self) -> Result<(Url, Reach), Failure> {
        if let Some(url) = &self.endpoint {
            return Ok((url.clone(), Reach::Anywhere));
        }
        let (metadata, reach) = self.keys.metadata().await.map_err(|outage| Failure {
            endpoint_fails: false,
            retry_after: Some(outage.retry_after()),
            ..Failure::of(outage.to_string())
        })?;
        let by_certificate = matches!(self.client.proof, Proof::Certificate(_));
        let url = metadata
            .mtls_token_endpoint
            .filter(|_| by_certificate)
            .or(metadata.token_endpoint);
        let none = || Failure::of("the issuer's metadata names no token endpoint".to_owned());
        url.map(|url| (url, reach)).ok_or_else(none)
    }
}

fn read(answer: &Object) -> Option<(Secret, Duration)> {
    let text = |name| {
        answer
            .get(name)
            .and_then(Json::as_str)
            .filter(|text| !text.is_empty())
    };
    let is_bearer = text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("Bearer"));
    let token = text("access_token")
        .filter(|token| is_bearer && token.bytes().all(|b| b.is_ascii_graphic()))?;
    let seconds = answer
        .get("expires_in")
        .and_then(Json::as_i64)
        .and_then(|seconds| seconds.try_into().ok());
    Some((
        Secret::new(token),
        seconds.map_or(SHORT, Duration::from_secs).min(LONGEST),
    ))
}
