//! The live decision, in one straight line: [`ResourceServer::decide`].

mod construction;
mod overage;
mod permission;
mod places;
mod possession;
mod receiving;
mod status;
mod token_cache;
mod token_watch;
mod trial;

pub use receiving::{ReceiverAnswer, ReceiverRequest};
pub use status::{MissingPart, ServerStatus};
pub use token_watch::{TokenEnd, TokenWatch};
pub use trial::{ServiceTrial, TrialResult};

use crate::events::{self, DecisionMeters};
use crate::issuers::{TrustedIssuer, TrustedIssuers};
use crate::possession::PossessionChecks;
use crate::receiver::Receivers;
use crate::resource_request::ResourceRequest;
use crate::resources::ProtectedResources;
use crate::revocation::{Revocable, Revocation, Revocations, Standing};
use crate::settings::SecurityProfile;
use crate::signed;
use crate::token_digest::{TokenDigest, token_digest};
use http::{HeaderMap, HeaderName};
use portcullis_core::credential::Credential;
use portcullis_core::jose::compact;
use portcullis_core::token::{AccessToken, VerifiedToken};
use portcullis_core::verify::Verifier;
use portcullis_core::{
    CodeLinks, Decision, Denial, EffectiveUrl, Limits, Outage, Permit, Requirement,
};
use portcullis_provider::clock::Clock;
use std::sync::{Arc, Weak};
pub(crate) use token_cache::RememberedToken;
use token_cache::TokenCache;
use tracing::{Instrument as _, field};

/// A protected resource server (RFC 6749, section 1.1): it trusts some issuers and decides about
/// requests.
///
/// Clones share one server. Keys are fetched in the background from the first request on, or from
/// [`start`](Self::start); while an issuer cannot be reached at the start, its tokens get 503,
/// never 401.
///
/// ```
/// # fn main() -> Result<(), portcullis_core::ConfigErrors> {
/// use portcullis_resource_server::{Config, ResourceServer, Settings};
///
/// let config = Config::from_toml(
///     r#"
///     [[issuer]]
///     url = "https://idp.example"
///     audience = "https://api.example"
///     "#,
/// )?;
/// let server = ResourceServer::with_settings(Settings::try_from(config)?);
/// assert_eq!(server.realm(), "api");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ResourceServer(Arc<ServerState>);

/// A server that may be gone by now: for tasks that work for it.
pub(crate) struct WeakServer(Weak<ServerState>);

impl WeakServer {
    pub(crate) fn upgrade(&self) -> Option<ResourceServer> {
        self.0.upgrade().map(ResourceServer)
    }
}

struct ServerState {
    issuers: TrustedIssuers,
    tokens: TokenCache,
    revocations: Arc<Revocations>,
    possession: PossessionChecks,
    resources: ProtectedResources,
    receivers: Receivers,
    public_origin: Option<EffectiveUrl>,
    security_profile: Option<SecurityProfile>,
    limits: Limits,
    realm: String,
    code_links: CodeLinks,
    token_header: Option<HeaderName>,
    token_cookie: Option<Box<str>>,
    clock: Arc<dyn Clock>,
    meters: DecisionMeters,
}

impl ResourceServer {
    /// Begins to fetch keys and to follow the revocation store, so that the first request finds
    /// them. Needs a Tokio runtime; without one, the first request begins.
    pub fn start(&self) {
        self.0.issuers.start();
        self.0.revocations.start();
        self.0.receivers.start();
        self.start_polling();
        self.start_watching();
    }

    /// Decides about a request from its headers and its query. Tokens that are bound are refused:
    /// see [`decide_request`](Self::decide_request).
    ///
    /// ```no_run
    /// # async fn example(headers: http::HeaderMap) -> Result<(), portcullis_core::ConfigErrors> {
    /// use portcullis_core::{Decision, Requirement};
    /// use portcullis_resource_server::ResourceServer;
    ///
    /// let server = ResourceServer::new("https://idp.example", "https://api.example")?;
    /// match server.decide(&headers, None, &Requirement::scope("orders:read")).await {
    ///     Decision::Allow(permit) => println!("go on, {}", permit.token().name()),
    ///     Decision::Deny(rejection) => println!("{}", rejection.code()),
    ///     Decision::Fail(outage) => println!("try again in {:?}", outage.retry_after()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn decide(
        &self,
        headers: &HeaderMap,
        query: Option<&str>,
        requirement: &Requirement,
    ) -> Decision {
        let request = ResourceRequest::of_headers(headers, query);
        self.decide_request(&request, requirement).await
    }

    /// Decides about a request: every step, in order.
    pub async fn decide_request(
        &self,
        request: &ResourceRequest<'_>,
        requirement: &Requirement,
    ) -> Decision {
        let began = self.0.clock.elapsed();
        let span =
            tracing::debug_span!(events::DECIDE, outcome = field::Empty, code = field::Empty);
        let result = self.authorize(request, requirement);
        let decision = result.instrument(span.clone()).await.into();
        let took = self.0.clock.elapsed().saturating_sub(began);
        self.0.meters.count_decision(&decision, took);
        // Recording formats its values: spared where nobody reads the span.
        if !span.is_disabled() {
            let (outcome, code) = events::outcome(&decision);
            span.record("outcome", outcome).record("code", code);
        }
        decision
    }

    async fn authorize(
        &self,
        request: &ResourceRequest<'_>,
        requirement: &Requirement,
    ) -> Result<Permit, Denial> {
        let found = self.find_credential(request.headers, request.query);
        let tried = found.as_ref().ok().map(Credential::scheme);
        let result = match found {
            Ok(credential) => {
                self.authorize_credential(credential, request, requirement)
                    .await
            }
            Err(rejection) => Err(rejection.into()),
        };
        result.map_err(|denial| match denial {
            Denial::Rejection(rejection) => {
                let now = self.0.clock.now();
                let possession = &self.0.possession;
                let rejection = possession.offer(rejection, tried, requirement, now);
                Self::describe(rejection, request, requirement).into()
            }
            outage @ Denial::Outage(_) => outage,
        })
    }

    async fn authorize_credential(
        &self,
        credential: Credential<'_>,
        request: &ResourceRequest<'_>,
        requirement: &Requirement,
    ) -> Result<Permit, Denial> {
        let token = self.verify_credential(credential).await?;
        // After all that a token says by itself: a proof costs a signature.
        let now = self.0.clock.now();
        let possession = &self.0.possession;
        let token = possession
            .prove(token, credential, request, now)
            .await?;
        self.permit_at(token, request.resource, requirement)
            .await
    }

    /// Verifies a bearer token: the caller is known then. What the caller may do is for
    /// [`permit`](Self::permit) to say. A token that is bound is refused.
    ///
    /// # Errors
    ///
    /// The refusal, or the outage that leaves it open.
    pub async fn authenticate(&self, credential: Credential<'_>) -> Result<AccessToken, Denial> {
        Ok(self
            .verify_credential(credential)
            .await?
            .into_bearer()?)
    }

    /// Verifies a token. Whether the caller has what it is bound to is still open.
    async fn verify_credential(&self, credential: Credential<'_>) -> Result<VerifiedToken, Denial> {
        let text = credential.token();
        let digest = token_digest(text);
        if let Some((opaque, introspector)) = self
            .0
            .issuers
            .find_introspector(text, &self.0.limits)?
        {
            let token = introspector.verify(opaque, &digest).await?;
            let revocable = Revocable::Verified(&token);
            self.check_revocation(&Standing::default(), revocable)
                .await?;
            return Ok(token);
        }
        let RememberedToken {
            token,
            issuer,
            standing,
        } = self.find_or_verify(credential, digest).await?;
        // A remembered token is checked like a fresh one: it may have been revoked since.
        let revocable = Revocable::Verified(&token);
        self.check_revocation(&standing, revocable).await?;
        if let Some(introspector) = &issuer.introspector {
            introspector.confirm(text, &digest).await?;
        }
        Ok(token)
    }

    /// A token that its issuer signed: remembered, or verified now.
    pub(crate) async fn find_or_verify(
        &self,
        credential: Credential<'_>,
        digest: TokenDigest,
    ) -> Result<RememberedToken, Denial> {
        let remembered = self.0.tokens.find(&digest);
        self.0.meters.count_lookup(remembered.is_some());
        if let Some(remembered) = remembered {
            // Time is the one thing in a verified token that changes by itself.
            if let Err(rejection) = Verifier::recheck(&remembered.token, self.0.clock.now()) {
                self.0.tokens.forget(&digest);
                return Err(rejection.into());
            }
            return Ok(remembered);
        }
        let (token, issuer) = self.verify(credential).await?;
        let remembered = RememberedToken {
            token,
            issuer,
            standing: Arc::default(),
        };
        self.0.tokens.remember(digest, remembered.clone());
        Ok(remembered)
    }

    async fn check_revocation(
        &self,
        standing: &Standing,
        token: Revocable<'_>,
    ) -> Result<(), Denial> {
        self.0.revocations.check(standing, token).await
    }

    /// The straight line of a token that was not verified before: each step takes what the one
    /// before it made, so none can be left out.
    async fn verify(
        &self,
        credential: Credential<'_>,
    ) -> Result<(VerifiedToken, Arc<TrustedIssuer>), Denial> {
        let token = compact::parse(credential.token(), &self.0.limits)?;
        let issuer = self
            .0
            .issuers
            .find(token.unverified_claims().issuer())?;
        // Before the key: a token that is refused anyway must not cause a fetch.
        issuer.verifier.screen(&token, self.0.clock.now())?;
        let token = signed::prove(&issuer.keys, token, credential.token(), &self.0.limits).await?;
        // The clock is read again: waiting for a key takes time.
        let token = issuer.verifier.verify(token, self.0.clock.now())?;
        issuer.paths.look(&issuer.verifier, token.claims());
        Ok((token, issuer))
    }

    /// Puts a revocation in force: here from now on, and in every replica that shares the store as
    /// soon as the store passes it on. A replica that hears nothing from the store answers with an
    /// outage after the grace.
    ///
    /// # Errors
    ///
    /// The denylist is full, or the store did not accept it. In the second case it is in force here
    /// all the same, and is written to the store as soon as that is back; calling again does no
    /// harm.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), Outage> {
        self.0.revocations.revoke(revocation).await
    }

    /// The APIs behind this server that have a name of their own.
    pub fn resources(&self) -> &ProtectedResources {
        &self.0.resources
    }

    /// The `realm` of challenges.
    pub fn realm(&self) -> &str {
        &self.0.realm
    }

    /// The addresses of the pages that explain codes.
    pub fn code_links(&self) -> &CodeLinks {
        &self.0.code_links
    }

    /// Whether both are one and the same server.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn issuers(&self) -> &TrustedIssuers {
        &self.0.issuers
    }

    pub(crate) fn revocations(&self) -> &Arc<Revocations> {
        &self.0.revocations
    }

    pub(crate) fn downgrade(&self) -> WeakServer {
        WeakServer(Arc::downgrade(&self.0))
    }

    pub(crate) fn receivers(&self) -> &Receivers {
        &self.0.receivers
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }
}
