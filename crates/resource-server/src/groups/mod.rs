//! Groups that do not fit into a token: Microsoft Graph is asked for them, where the decision hangs
//! on them.
//!
//! The address is built here from the settings and the caller's object id, which must be a GUID;
//! the address that the token names is never called. Refuses: further pages of another origin, and
//! more of them than there can be. A failure is an outage: the groups stay unknown, and are never
//! taken for none.

mod client_token;

use crate::settings::tenants::is_guid;
use client_token::ClientToken;
use portcullis_core::jose::json::{self, Json, Text};
use portcullis_core::token::{AccessToken, Kind};
use portcullis_core::{Limits, Outage, OutageCode};
use portcullis_provider::answer_cache::AnswerCache;
use portcullis_provider::breaker::Breaker;
use portcullis_provider::client_auth::{ClientAuth, Secret};
use portcullis_provider::clock::Clock;
use portcullis_provider::fetch::{
    Authorization, EndpointBody, EndpointRequest, EndpointResponse, Fetch, Reach,
};
use portcullis_provider::keys::KeyCache;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How the groups of callers are looked up.
#[derive(Clone, Debug)]
pub(crate) struct GroupsSettings {
    pub(crate) graph: Url,
    /// None: where the issuer's metadata says.
    pub(crate) token_endpoint: Option<Box<str>>,
    pub(crate) client: Arc<ClientAuth>,
    pub(crate) lasting: Duration,
}

/// Looks up the groups of one issuer's callers, and remembers them for a while.
pub(crate) struct GroupsResolver {
    graph: Url,
    lasting: Duration,
    token: ClientToken,
    fetch: Fetch,
    limits: Limits,
    clock: Arc<dyn Clock>,
    breaker: Breaker,
    /// Under the object id: the tenant is the issuer's, and this resolver is for one issuer.
    known: AnswerCache<Box<str>, Result<Arc<[Text]>, Outage>>,
}

/// Why there are no groups.
pub(super) struct Failure {
    reason: String,
    /// Whether the directory is at fault, and not this question.
    endpoint_fails: bool,
    retry_after: Option<Duration>,
    /// Whether it does not take our token.
    unauthorized: bool,
}

/// How many callers' groups are remembered for one issuer.
const REMEMBERED: usize = 10_000;
/// How long a caller waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// A caller is in some ten thousand groups at most, with a hundred or more on a page.
const PAGES: usize = 110;

impl GroupsResolver {
    pub(crate) fn new(
        settings: &GroupsSettings,
        tenant: Option<&str>,
        fetch: Fetch,
        keys: Arc<KeyCache>,
        limits: Limits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            graph: settings.graph.clone(),
            lasting: settings.lasting,
            token: ClientToken::new(
                settings,
                tenant,
                fetch.clone(),
                keys,
                limits,
                Arc::clone(&clock),
            ),
            fetch,
            // Groups are as many as they are: each is one short text.
            limits: Limits {
                json_values: limits.json_values * 10,
                ..limits
            },
            breaker: Breaker::default(),
            known: AnswerCache::new(REMEMBERED, Arc::clone(&clock)),
            clock,
        }
    }

    /// The groups of the caller to whom a token was issued.
    pub(crate) async fn groups(&self, token: &AccessToken) -> Result<Vec<Text>, Outage> {
        let id = token
            .claim("oid")
            .and_then(Json::as_str)
            .filter(|id| is_guid(id));
        let id =
            id.ok_or_else(|| outage("the token names no object id to ask about", Duration::ZERO))?;
        let address = self.address(token.identity().kind(), id)?;
        let ask = async {
            let answer = self.ask(address).await;
            let lasting = if answer.is_ok() {
                self.lasting
            } else {
                Duration::ZERO
            };
            (answer, lasting)
        };
        let found = self.known.find_or(&id.into(), ask).await;
        found.value.map(|groups| groups.to_vec())
    }

    /// Built here, of nothing from the token but a GUID.
    fn address(&self, kind: Kind, id: &str) -> Result<Url, Outage> {
        let collection = match kind {
            Kind::User => "users",
            Kind::Application => "servicePrincipals",
            Kind::Unknown => "directoryObjects",
        };
        let text = format!(
            "{}/v1.0/{collection}/{id}/getMemberObjects",
            self.graph.as_str().trim_end_matches('/')
        );
        Url::parse(&text).map_err(|_| outage("the directory has no address", Duration::ZERO))
    }

    async fn ask(&self, address: Url) -> Result<Arc<[Text]>, Outage> {
        let attempt = self.breaker.attempt(self.clock.elapsed());
        let attempt = attempt
            .map_err(|wait| outage("the directory is not asked for a while: it failed", wait))?;
        let answered = tokio::select! {
            answered = self.with_token(address) => answered,
            () = self.clock.sleep(PATIENCE) => Err(Failure::of(
                "the groups did not come in time".to_owned()
            )),
        };
        match answered {
            Ok(groups) => {
                attempt.succeed();
                Ok(groups.into())
            }
            Err(Failure {
                reason,
                endpoint_fails,
                retry_after,
                ..
            }) => {
                tracing::warn!(reason, "no groups");
                if endpoint_fails {
                    attempt.fail(self.clock.elapsed(), retry_after);
                }
                Err(outage(&reason, retry_after.unwrap_or_default()))
            }
        }
    }

    /// All pages, under our token; under a new one where the directory does not take it.
    async fn with_token(&self, address: Url) -> Result<Vec<Text>, Failure> {
        let token = self.token.current().await?;
        match self.pages(address.clone(), &token).await {
            Err(failure) if failure.unauthorized => {
                self.token.forget(&token).await;
                self.pages(address, &self.token.current().await?).await
            }
            pages => pages,
        }
    }

    async fn pages(&self, address: Url, token: &Secret) -> Result<Vec<Text>, Failure> {
        let mut groups = Vec::new();
        let (mut url, mut body) = (address, EndpointBody::Json(ALL_GROUPS));
        for _ in 0..PAGES {
            let authorization = Some(Authorization::Bearer(token.clone()));
            let question = EndpointRequest {
                url: &url,
                reach: Reach::Anywhere,
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
            let page = document(&url, answered, &self.limits)?;
            let object = page
                .as_object()
                .ok_or_else(|| malformed(&url, "no object"))?;
            let ids = object
                .get("value")
                .and_then(Json::as_array)
                .ok_or_else(|| malformed(&url, "no `value`"))?;
            for id in ids {
                match id {
                    Json::String(id) => groups.push(id.clone()),
                    _ => return Err(malformed(&url, "a group without an id")),
                }
            }
            let Some(next) = object.get("@odata.nextLink") else {
                return Ok(groups);
            };
            url = self
                .same_origin(next)
                .ok_or_else(|| malformed(&url, "a next page elsewhere"))?;
            body = EndpointBody::None;
        }
        Err(malformed(&url, "more pages than there can be"))
    }

    /// The next page, if it is where the directory is: our token goes nowhere else.
    fn same_origin(&self, link: &Json) -> Option<Url> {
        let url = Url::parse(link.as_str()?).ok()?;
        (url.origin() == self.graph.origin()).then_some(url)
    }
}

impl Failure {
    fn of(reason: String) -> Self {
        Self {
            reason,
            endpoint_fails: true,
            retry_after: None,
            unauthorized: false,
        }
    }
}

/// The JSON document of a proper answer.
fn document(url: &Url, answered: EndpointResponse, limits: &Limits) -> Result<Json, Failure> {
    let EndpointResponse {
        status,
        content_type,
        retry_after,
        body,
        ..
    } = answered;
    if status != 200 {
        // One caller who is not there, or is in too many groups, must not keep the others from
        // being asked about.
        let endpoint_fails = status >= 500 || matches!(status, 200..=399 | 401 | 403 | 429);
        let failure = Failure::of(format!("{url}: the answer was {status}"));
        return Err(Failure {
            endpoint_fails,
            retry_after,
            unauthorized: status == 401,
            ..failure
        });
    }
    if content_type != JSON {
        return Err(malformed(url, "another type than JSON"));
    }
    json::parse(&body, limits).map_err(|fault| malformed(url, &fault.to_string()))
}

fn malformed(url: &Url, found: &str) -> Failure {
    Failure::of(format!("{url}: the answer holds {found}"))
}

fn outage(reason: &str, retry_after: Duration) -> Outage {
    Outage::new(OutageCode::Groups, reason.to_owned(), retry_after)
}

/// Distribution lists too: the token would hold them as well.
const ALL_GROUPS: &str = r#"{"securityEnabledOnly":false}"#;
const JSON: &str = "application/json";
