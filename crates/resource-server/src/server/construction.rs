//! How a server is made: of settings, or in the place of another one.

use super::token_cache::TokenCache;
use super::{ResourceServer, ServerState};
use crate::config::Config;
use crate::events::DecisionMeters;
use crate::issuers::TrustedIssuers;
use crate::possession::PossessionChecks;
use crate::receiver::Receivers;
use crate::revocation::Revocations;
use crate::settings::Settings;
use portcullis_core::ConfigErrors;
use portcullis_provider::clock::{Clock, SystemClock};
use std::fmt;
use std::sync::Arc;

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
        let possession = PossessionChecks::new(settings.possession.clone(), &clock);
        Self::with_memory(settings, revocations, possession, clock)
    }

    /// A server with other settings that takes the place of this one. Revocations of this one stay
    /// in force there, and its proofs stay used, unless the settings of these themselves changed.
    #[must_use]
    pub fn succeeded_by(&self, settings: Settings) -> Self {
        let revocations = self.0.revocations.succeeded_by(&settings.revocation);
        let clock = &self.0.clock;
        let wanted = settings.possession.clone();
        let possession = self.0.possession.succeeded_by(wanted, clock);
        Self::with_memory(settings, revocations, possession, Arc::clone(clock))
    }

    fn with_memory(
        settings: Settings,
        revocations: Arc<Revocations>,
        possession: PossessionChecks,
        clock: Arc<dyn Clock>,
    ) -> Self {
        for warning in &settings.warnings {
            let (setting, cure) = (warning.place(), warning.help());
            tracing::warn!(setting, cure, "{}", warning.message());
        }
        let issuers = TrustedIssuers::new(settings.issuers.clone(), settings.limits, &clock);
        let receivers = Receivers::new(&settings, &issuers, &clock);
        Self(Arc::new(ServerState {
            issuers,
            tokens: TokenCache::new(settings.remembered_tokens),
            revocations,
            possession,
            resources: settings.resources,
            receivers,
            public_origin: settings.public_origin,
            security_profile: settings.security_profile,
            limits: settings.limits,
            realm: settings.realm,
            code_links: settings.code_links,
            token_header: settings.token_header,
            token_cookie: settings.token_cookie,
            clock,
            meters: DecisionMeters::new(),
        }))
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
