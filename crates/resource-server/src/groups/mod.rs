//! Groups that do not fit into a token: Microsoft Graph is asked for them, where the decision
//! depends on them.
//!
//! The address is built here from the settings and the caller's object id, which must be a GUID;
//! the address that the token names is never called. Refuses: further pages of another origin, and
//! more of them than there can be. A failure is an outage: the groups stay unknown, and are never
//! taken for an empty set.

mod client_token;
mod fault;
mod settings;

pub(crate) use client_token::ClientToken;
pub(crate) use settings::GroupsSettings;

use crate::client_endpoint::{IssuerAccess, ProbeFault};
use crate::guid::is_guid;
use fault::{GroupsFault, JSON, document};
use portcullis_core::jose::json::{Json, Text};
use portcullis_core::token::{AccessToken, Issuer, Kind};
use portcullis_core::{Limits, Outage, OutageCode};
use portcullis_provider::answer_cache::AnswerCache;
use portcullis_provider::breaker::{Breaker, BreakerState};
use portcullis_provider::client_auth::Secret;
use portcullis_provider::clock::{Clock, wait_within};
use portcullis_provider::failure_log::{FailureLog, FailureNotice};
use portcullis_provider::fetch::{Authorization, EndpointBody, EndpointRequest, Fetch, Reach};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Looks up the groups of one issuer's callers, and remembers them for a while.
pub(crate) struct GroupsResolver {
    graph: Url,
    lasting: Duration,
    token: ClientToken,
    fetch: Fetch,
    limits: Limits,
    clock: Arc<dyn Clock>,
    breaker: Breaker,
    issuer: Issuer,
    log: FailureLog,
    /// Under the object id: the tenant is the issuer's, and this resolver is for one issuer.
    known: AnswerCache<Box<str>, Result<Arc<[Text]>, Outage>>,
}

/// How many callers' groups are remembered for one issuer.
const REMEMBERED: usize = 10_000;
/// How long a caller waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long nothing must have failed before a failing directory counts as well again.
const CALM: Duration = Duration::from_secs(10);
/// A caller is in some ten thousand groups at most, with a hundred or more on a page.
const PAGES: usize = 110;

impl GroupsResolver {
    pub(crate) fn new(
        settings: &GroupsSettings,
        tenant: Option<&str>,
        access: IssuerAccess,
    ) -> Self {
        let egress = access.egress.clone();
        let issuer = access.keys.issuer().clone();
        // A page holds many groups: each is one short text.
        let limits = Limits {
            json_values: egress.limits.json_values * 10,
            ..egress.limits
        };
        Self {
            graph: settings.graph.clone(),
            lasting: settings.lasting,
            token: ClientToken::new(settings, tenant, access),
            fetch: egress.fetch,
            limits,
            breaker: Breaker::default(),
            issuer,
            log: FailureLog::with_calm(CALM),
            known: AnswerCache::new(REMEMBERED, Arc::clone(&egress.clock)),
            clock: egress.clock,
        }
    }

    /// The groups of the caller to whom a token was issued.
    pub(crate) async fn groups(&self, token: &AccessToken) -> Result<Vec<Text>, Outage> {
        let id = match token.claim("oid").and_then(Json::as_str) {
            Some(id) if is_guid(id) => id,
            _ => return Err(outage("the token names no object id to ask about")),
        };
        let address = self.address(token.identity().kind(), id)?;
        let ask = async {
            let answer = self.ask(address).await;
            // A failure serves those who wait for it, and is forgotten then.
            let lasting = if answer.is_ok() {
                self.lasting
            } else {
                Duration::ZERO
            };
            (answer, lasting)
        };
        match self.known.find_or(&id.into(), ask).await.value {
            Ok(groups) => Ok(groups.to_vec()),
            Err(outage) => {
                let notice = self.log.deny(self.clock.elapsed());
                self.log_failure(notice, outage.facts());
                Err(outage)
            }
        }
    }

    /// Fetches a token for our client, and asks the directory nothing: what the client may read
    /// shows only with a caller.
    pub(crate) async fn probe(&self) -> Result<(), ProbeFault> {
        match self.token.current().await {
            Ok(_) => Ok(()),
            Err(fault) => Err(ProbeFault {
                refuses_client: fault.refuses_client,
                reason: fault.reason,
            }),
        }
    }

    /// The client that asks.
    pub(crate) fn client(&self) -> &str {
        self.token.client()
    }

    /// Built here, of nothing from the token but a GUID.
    fn address(&self, kind: Kind, id: &str) -> Result<Url, Outage> {
        let collection = match kind {
            Kind::User => "users",
            Kind::Application => "servicePrincipals",
            Kind::Unknown => "directoryObjects",
        };
        let graph = self.graph.as_str().trim_end_matches('/');
        let text = format!("{graph}/v1.0/{collection}/{id}/getMemberObjects");
        Url::parse(&text).map_err(|_| outage("the directory has no address"))
    }

    async fn ask(&self, address: Url) -> Result<Arc<[Text]>, Outage> {
        let attempt = match self.breaker.attempt(self.clock.elapsed()) {
            Ok(attempt) => attempt,
            Err(wait) => {
                let reason = "the directory is not asked for a while: it failed";
                return Err(Outage::new(OutageCode::Groups, reason, wait).mark_logged());
            }
        };
        // One bound for our token and all pages together, since the caller waits for all of them.
        let asking = pin!(self.with_token(address));
        let groups = wait_within(asking, self.clock.sleep(PATIENCE)).await;
        let late = || GroupsFault::of("the groups did not come in time".to_owned());
        let fault = match groups.unwrap_or_else(|| Err(late())) {
            Ok(groups) => {
                attempt.succeed();
                self.log_recovery();
                return Ok(groups.into());
            }
            Err(fault) => fault,
        };
        let now = self.clock.elapsed();
        self.log_failure(self.log.fail(now), &fault.reason);
        if fault.endpoint_fails {
            attempt.fail(now, fault.retry_after);
        }
        let wait = match (fault.retry_after, self.breaker.state(now)) {
            (Some(wait), _) | (None, BreakerState::Open(wait)) => wait,
            _ => Duration::ZERO,
        };
        Err(Outage::new(OutageCode::Groups, fault.reason, wait).mark_logged())
    }

    /// Logs the first failure, and now and then that it goes on.
    fn log_failure(&self, notice: FailureNotice, reason: &str) {
        let issuer = &self.issuer;
        match notice {
            FailureNotice::First => tracing::warn!(%issuer, reason, "no groups"),
            FailureNotice::Again(toll) => tracing::warn!(
                %issuer,
                reason,
                failures = toll.failures,
                denied = toll.denied,
                "still no groups after {toll}",
            ),
            FailureNotice::Known => tracing::debug!(%issuer, reason, "no groups"),
        }
    }

    fn log_recovery(&self) {
        if let Some(toll) = self.log.succeed(self.clock.elapsed()) {
            tracing::info!(
                issuer = %self.issuer,
                failures = toll.failures,
                denied = toll.denied,
                "groups: the directory answers again after {toll}, requests answered 503: {}",
                toll.denied,
            );
        }
    }

    /// All pages, with our token; with a new one where the directory does not accept it.
    async fn with_token(&self, address: Url) -> Result<Vec<Text>, GroupsFault> {
        let token = self.token.current().await?;
        // The directory may revoke our token long before it ends.
        match self.pages(address.clone(), &token).await {
            // Once: a new token that is refused as well will not become better.
            Err(fault) if fault.unauthorized => {
                self.token.forget(&token).await;
                self.pages(address, &self.token.current().await?).await
            }
            pages => pages,
        }
    }

    async fn pages(&self, address: Url, token: &Secret) -> Result<Vec<Text>, GroupsFault> {
        let mut groups = Vec::new();
        let (mut url, mut body) = (address, EndpointBody::Json(ALL_GROUPS));
        // Without a bound, pages that link to each other would never end.
        for _ in 0..PAGES {
            let request = EndpointRequest {
                url: &url,
                // The operator chose the directory, and `same_origin` keeps every further page
                // there.
                reach: Reach::Anywhere,
                body,
                accept: JSON,
                authorization: Some(Authorization::Bearer(token.clone())),
                proof: None,
            };
            let response = self.fetch.ask(request).await?;
            let page = document(&url, &response, &self.limits)?;
            let Some(page) = page.as_object() else {
                return Err(GroupsFault::of_answer(&url, "no object"));
            };
            let Some(ids) = page.get("value").and_then(Json::as_array) else {
                return Err(GroupsFault::of_answer(&url, "no `value`"));
            };
            for id in ids {
                let Json::String(id) = id else {
                    return Err(GroupsFault::of_answer(&url, "a group without an id"));
                };
                groups.push(id.clone());
            }
            // Only the last page has no link: half of the groups would be a wrong answer.
            let Some(next) = page.get("@odata.nextLink") else {
                return Ok(groups);
            };
            let Some(next) = self.same_origin(next) else {
                return Err(GroupsFault::of_answer(&url, "a next page elsewhere"));
            };
            // The first page is a POST, further ones are a GET of their link.
            (url, body) = (next, EndpointBody::None);
        }
        Err(GroupsFault::of_answer(&url, "more pages than there can be"))
    }

    /// The next page, if it is where the directory is: our token goes nowhere else.
    fn same_origin(&self, link: &Json) -> Option<Url> {
        let url = Url::parse(link.as_str()?).ok()?;
        (url.origin() == self.graph.origin()).then_some(url)
    }
}

fn outage(reason: &'static str) -> Outage {
    Outage::new(OutageCode::Groups, reason, Duration::ZERO)
}

/// Distribution lists too: the token would hold them as well.
const ALL_GROUPS: &str = r#"{"securityEnabledOnly":false}"#;
