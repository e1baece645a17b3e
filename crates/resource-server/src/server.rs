//! The live decision, in one straight line: [`ResourceServer::decide`].

mod places;
mod status;
mod token_cache;

pub use status::ServerStatus;

use crate::config::Config;
use crate::events::{self, DecisionMeters};
use crate::issuers::{TrustedIssuer, TrustedIssuers};
use crate::revocation::{Revocable, Revocation, Revocations, Standing};
use crate::settings::Settings;
use crate::token_digest::{TokenDigest, token_digest};
use http::{HeaderMap, HeaderName};
use portcullis_core::credential::{self, Credential};
use portcullis_core::jose::{Header, compact, signature};
use portcullis_core::rejection::Rejection;
use portcullis_core::token::AccessToken;
use portcullis_core::verify::Verifier;
use portcullis_core::{
    ConfigErrors, Decision, Denial, Limits, Outage, Permit, Requirement, policy,
};
use portcullis_provider::clock::{Clock, SystemClock};
use portcullis_provider::keys::{FoundKeys, KeyFault};
use std::fmt;
use std::sync::Arc;
use token_cache::{RememberedToken, TokenCache};
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
pub struct ResourceServer(Arc<Inner>);

struct Inner {
    issuers: TrustedIssuers,
    tokens: TokenCache,
    revocations: Arc<Revocations>,
    limits: Limits,
    realm: String,
    token_header: Option<HeaderName>,
    token_cookie: Option<Box<str>>,
    clock: Arc<dyn Clock>,
    meters: DecisionMeters,
}

impl ResourceServer {
    /// A server as the environment and `.env` describe it: see [`Config::from_env`].
    ///
    /// # Errors
    ///
    /// Everything that is missing or wrong, all at once.
    pub fn from_env() -> Result<Self, ConfigErrors> {
        let settings = Settings::try_from(Config::from_env()?)?;
        Ok(Self::with_settings(settings))
    }

    /// A server that trusts one issuer and accepts one audience.
    ///
    /// # Errors
    ///
    /// What is wrong with the issuer or the audience.
    pub fn new(issuer: &str, audience: &str) -> Result<Self, ConfigErrors> {
        Ok(Self::with_settings(Settings::new(issuer, audience)?))
    }

    /// A server with these settings.
    pub fn with_settings(settings: Settings) -> Self {
        Self::with_clock(settings, Arc::new(SystemClock::new()))
    }

    /// A server with these settings and another clock.
    pub fn with_clock(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let revocations = Revocations::new(&settings.revocation, &clock);
        Self::with_revocations(settings, revocations, clock)
    }

    /// A server with other settings that takes the place of this one. Revocations of this one stay
    /// in force there, unless the settings of revocation themselves changed.
    #[must_use]
    pub fn succeeded_by(&self, settings: Settings) -> Self {
        let revocations = self.0.revocations.succeeded_by(&settings.revocation);
        Self::with_revocations(settings, revocations, Arc::clone(&self.0.clock))
    }

    fn with_revocations(
        settings: Settings,
        revocations: Arc<Revocations>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        for warning in &settings.warnings {
            let (setting, cure) = (warning.place(), warning.help());
            tracing::warn!(setting, cure, "{}", warning.message());
        }
        Self(Arc::new(Inner {
            issuers: TrustedIssuers::new(settings.issuers, settings.limits, &clock),
            tokens: TokenCache::new(settings.remembered_tokens),
            revocations,
            limits: settings.limits,
            realm: settings.realm,
            token_header: settings.token_header,
            token_cookie: settings.token_cookie,
            clock,
            meters: DecisionMeters::new(),
        }))
    }

    /// Begins to fetch keys and to follow the revocation store, so that the first request finds
    /// them. Needs a Tokio runtime; without one, the first request begins.
    pub fn start(&self) {
        self.0.issuers.start();
        self.0.revocations.start();
    }

    /// Decides about a request from its headers and its query: every step, in order.
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
        let began = self.0.clock.elapsed();
        let span =
            tracing::debug_span!(events::DECIDE, outcome = field::Empty, code = field::Empty);
        let result = self.authorize(headers, query, requirement);
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
        headers: &HeaderMap,
        query: Option<&str>,
        requirement: &Requirement,
    ) -> Result<Permit, Denial> {
        let credential = credential::find_in(self.0.token_header.as_ref(), headers, query)?;
        let token = self.authenticate(credential).await?;
        self.permit(token, requirement).await
    }

    /// Permits a request with a verified token that meets the requirement. Where that depends on
    /// groups that did not fit into the token, they are looked up, if its issuer's settings say
    /// how.
    ///
    /// # Errors
    ///
    /// The refusal; or the outage, where the groups cannot be had.
    pub async fn permit(
        &self,
        token: AccessToken,
        requirement: &Requirement,
    ) -> Result<Permit, Denial> {
        let token = if requirement.hangs_on_groups(&token, self.0.clock.now()) {
            self.with_groups(token).await?
        } else {
            token
        };
        // The clock is read again: looking groups up takes time.
        policy::permit(token, requirement, self.0.clock.now())
    }

    /// Verifies a bearer token: the caller is known then. What the caller may do is for
    /// [`permit`](Self::permit) to say.
    ///
    /// # Errors
    ///
    /// The refusal, or the outage that leaves it open.
    pub async fn authenticate(&self, credential: Credential<'_>) -> Result<AccessToken, Denial> {
        let text = credential.token();
        let digest = token_digest(text);
        if let Some((opaque, introspector)) =
            self.0.issuers.find_introspector(text, &self.0.limits)?
        {
            let token = introspector.verify(opaque, &digest).await?;
            self.check_revocation(&Standing::default(), &token).await?;
            return Ok(token);
        }
        let RememberedToken {
            token,
            issuer,
            standing,
        } = self.find_or_verify(credential, digest).await?;
        // A remembered token is checked like a fresh one: it may have been revoked since.
        self.check_revocation(&standing, &token).await?;
        if let Some(introspector) = &issuer.introspector {
            introspector.confirm(text, &digest).await?;
        }
        Ok(token)
    }

    /// A token that its issuer signed: remembered, or verified now.
    async fn find_or_verify(
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
        token: &AccessToken,
    ) -> Result<(), Denial> {
        let token = Revocable::Verified(token);
        self.0.revocations.check(standing, token).await
    }

    /// Checks a verified token once more: whether this server trusts its issuer with what it says,
    /// whether its key is still published, whether its time is over, and whether it was revoked.
    /// For connections that outlive their first request, such as a WebSocket, also where another
    /// server verified the token. The issuer is not asked about it.
    ///
    /// # Errors
    ///
    /// The refusal, or the outage that leaves it open.
    pub async fn recheck(&self, token: &AccessToken) -> Result<(), Denial> {
        let issuer = self.0.issuers.find(Some(token.issuer().as_str()))?;
        issuer.verifier.verify_again(token, self.0.clock.now())?;
        // Without keys nothing shows that this one is gone.
        if let (Some(key), Some(keys)) = (token.key(), issuer.keys.current())
            && !keys.holds(key)
        {
            let kid = token.header().and_then(|header| header.kid.as_deref());
            return Err(Rejection::of_unknown_key(kid).into());
        }
        self.check_revocation(&Standing::default(), token).await
    }

    /// The straight line of a token that was not verified before: each step takes what the one
    /// before it made, so none can be left out.
    async fn verify(
        &self,
        credential: Credential<'_>,
    ) -> Result<(AccessToken, Arc<TrustedIssuer>), Denial> {
        let token = compact::parse(credential.token(), &self.0.limits)?;
        let issuer = self.0.issuers.find(token.unverified_claims().issuer())?;
        // Before the key: a token that is refused anyway must not cause a fetch.
        issuer.verifier.screen(&token, self.0.clock.now())?;
        let found = issuer.key(token.header()).await?;
        let token = match signature::check(token, &found.keys) {
            Ok(token) => token,
            Err(refusal) => {
                // The issuer may publish another key under that name by now. The check consumed the
                // token, so it is parsed again.
                let token = compact::parse(credential.token(), &self.0.limits)?;
                let replacements = issuer.keys.replacements(token.header(), &found).await?;
                signature::check(token, &replacements.ok_or(refusal)?)?
            }
        };
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

    async fn with_groups(&self, token: AccessToken) -> Result<AccessToken, Denial> {
        let issuer = self.0.issuers.find(Some(token.issuer().as_str()))?;
        // Without a resolver the groups stay unknown, and the policy refuses for that.
        let Some(resolver) = &issuer.groups else {
            return Ok(token);
        };
        let groups = resolver.groups(&token).await?;
        Ok(token.with_groups(groups))
    }

    /// The `realm` of challenges.
    pub fn realm(&self) -> &str {
        &self.0.realm
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

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }
}

impl TrustedIssuer {
    /// The keys that could have signed a token: the only wait on the way of a JWT.
    async fn key(&self, header: &Header) -> Result<FoundKeys, Denial> {
        self.keys.start();
        let kid = header.kid.as_deref();
        match self.keys.key(kid, header.algorithm).await {
            Ok(found) => Ok(found),
            Err(KeyFault::UnknownKey) => Err(Rejection::of_unknown_key(kid).into()),
            Err(KeyFault::WrongAlgorithm) => {
                Err(Rejection::of_key_algorithm(header.algorithm).into())
            }
            Err(KeyFault::Outage(outage)) => Err(outage.into()),
        }
    }
}

impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServer")
            .field("issuers", &self.0.issuers)
            .field("tokens", &self.0.tokens)
            .field("revocations", &self.0.revocations.list)
            .finish()
    }
}
