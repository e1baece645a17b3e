//! Our own token for the directory, by client credentials (RFC 6749, section 4.4), used until
//! shortly before it ends.

use super::fault::{GroupsFault, JSON, document};
use super::settings::GroupsSettings;
use crate::client_endpoint::{AssertionAudience, ClientEndpoint, IssuerAccess};
use portcullis_core::dialect::TENANT;
use portcullis_core::jose::json::{Json, Object};
use portcullis_provider::client_auth::Secret;
use portcullis_provider::metadata;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use url::Url;

/// The token of our client for the directory.
pub(crate) struct ClientToken {
    endpoint: ClientEndpoint,
    scope: String,
    /// Locked while a new one is fetched: the others wait for it.
    held: Mutex<Option<(Secret, Duration)>>,
}

/// A token is no longer used this long before its end: a request takes time.
const MARGIN: Duration = Duration::from_secs(60);
/// What is assumed where the answer does not say how long the token lasts (RFC 6749, section 5.1).
const SHORT: Duration = Duration::from_secs(120);
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

impl ClientToken {
    pub(super) fn new(
        settings: &GroupsSettings,
        tenant: Option<&str>,
        access: IssuerAccess,
    ) -> Self {
        let mut configured = None;
        if let Some(text) = &settings.token_endpoint {
            let text = text.replace(TENANT, tenant.unwrap_or(TENANT));
            configured = Url::parse(&text).ok();
        }
        Self {
            endpoint: ClientEndpoint {
                configured,
                member: metadata::TOKEN,
                client: Arc::clone(&settings.client),
                audience: AssertionAudience::Endpoint,
                access,
            },
            // Entra ID takes no other scope for client credentials: it stands for the rights that
            // were granted.
            scope: format!("{}/.default", settings.graph.as_str().trim_end_matches('/')),
            held: Mutex::new(None),
        }
    }

    /// A token of this scope.
    pub(crate) fn of(endpoint: ClientEndpoint, scope: String) -> Self {
        Self {
            endpoint,
            scope,
            held: Mutex::new(None),
        }
    }

    /// The stored one, or a new one; else why there is none.
    pub(crate) async fn obtain(&self) -> Result<Secret, String> {
        self.current().await.map_err(|fault| fault.reason)
    }

    /// The stored one, or a new one.
    pub(super) async fn current(&self) -> Result<Secret, GroupsFault> {
        let clock = &self.endpoint.access.egress.clock;
        let mut held = self.held.lock().await;
        if let Some((token, until)) = &*held
            && clock.elapsed() < *until
        {
            return Ok(token.clone());
        }
        let (token, lasting) = self.fetch_token().await?;
        // A token that lasts less than the margin serves only the caller that fetched it.
        let until = clock.elapsed() + lasting.saturating_sub(MARGIN);
        *held = Some((token.clone(), until));
        Ok(token)
    }

    /// The id of the client.
    pub(super) fn client(&self) -> &str {
        &self.endpoint.client.id
    }

    /// Drops a token that the directory does not accept, unless there is a newer one.
    pub(crate) async fn forget(&self, refused: &Secret) {
        let mut held = self.held.lock().await;
        held.take_if(|(token, _)| token == refused);
    }

    async fn fetch_token(&self) -> Result<(Secret, Duration), GroupsFault> {
        let members = [
            ("grant_type", "client_credentials"),
            ("scope", self.scope.as_str()),
        ];
        let (url, response) = self.endpoint.post(&members, JSON).await?;
        let limits = &self.endpoint.access.egress.limits;
        let answer = match document(&url, &response, limits) {
            Ok(answer) => answer,
            // A refusal of the client itself is no reason to come back with another token.
            Err(fault) => {
                return Err(GroupsFault {
                    endpoint_fails: true,
                    unauthorized: false,
                    ..fault
                });
            }
        };
        match answer.as_object().and_then(read) {
            Some(token) => Ok(token),
            None => Err(GroupsFault::of_answer(&url, "no bearer token")),
        }
    }
}

/// The token of an answer (RFC 6749, section 5.1), and how long it lasts.
fn read(answer: &Object) -> Option<(Secret, Duration)> {
    // Another type, such as DPoP, needs a proof that is not made here.
    let kind = answer.get("token_type")?.as_str()?;
    if !kind.eq_ignore_ascii_case("Bearer") {
        return None;
    }
    let token = answer.get("access_token")?.as_str()?;
    // It goes into a header: anything but visible ASCII could begin another one.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let seconds = answer.get("expires_in").and_then(Json::as_i64);
    let lasting = match seconds.map(u64::try_from) {
        Some(Ok(seconds)) => Duration::from_secs(seconds).min(LONGEST),
        _ => SHORT,
    };
    Some((Secret::new(token), lasting))
}
