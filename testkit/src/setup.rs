//! An identity provider, a resource server that trusts it, and the clock of both.

use http::{HeaderMap, HeaderValue};
use portcullis_core::credential::Credential;
use portcullis_core::token::NumericDate;
use portcullis_core::{Decision, Denial, Requirement};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::{Clock as _, TestClock};
use portcullis_resource_server::{ResourceServer, Settings};
use std::sync::Arc;
use std::time::Duration;

/// What the clock of the tests and of the corpora says: 2027-01-15T08:00:00Z.
pub const NOW: i64 = 1_800_000_000;

/// The audience of the development identity provider's tokens.
pub const AUDIENCE: &str = "api://enterprise-api";

/// A provider and a server that trusts it, on one clock.
pub struct ResourceServerSetup {
    pub clock: Arc<TestClock>,
    pub idp: Idp,
    pub server: ResourceServer,
}

impl ResourceServerSetup {
    pub async fn new() -> Self {
        let settings = |idp: &Idp| Settings::new(idp.issuer().as_str(), AUDIENCE).unwrap();
        // Tokens outlive every outage of the tests: what ends must end for another reason.
        let config = IdpConfig {
            access_token_lifetime: 80_000,
            ..IdpConfig::default()
        };
        Self::with(config, settings).await
    }

    /// With this provider, and the settings for it.
    pub async fn with(config: IdpConfig, settings: impl FnOnce(&Idp) -> Settings) -> Self {
        let clock = clock();
        let idp = idp_on(&clock, config).await;
        let server = server_on(&clock, settings(&idp));
        Self { clock, idp, server }
    }

    /// What becomes of a token: `allow`, or the code.
    pub async fn decide(&self, token: &str) -> String {
        decide(&self.server, token).await
    }

    /// What becomes of a token where this is demanded of it.
    pub async fn decide_by(&self, token: &str, requirement: &Requirement) -> String {
        decide_by(&self.server, token, requirement).await
    }

    /// Waits until it is so.
    pub async fn eventually(&self, what: impl Fn(&Self) -> bool) {
        eventually(|| what(self)).await;
    }
}

/// A clock at [`NOW`].
pub fn clock() -> Arc<TestClock> {
    Arc::new(TestClock::at(NumericDate::from_seconds(NOW)))
}

/// A provider that lives by this clock.
pub async fn idp_on(clock: &Arc<TestClock>, config: IdpConfig) -> Idp {
    let clock = Arc::clone(clock);
    let now = move || u64::try_from(clock.now().seconds()).unwrap();
    Idp::start_at(config, now).await.unwrap()
}

/// A server that lives by this clock.
pub fn server_on(clock: &Arc<TestClock>, settings: Settings) -> ResourceServer {
    ResourceServer::with_clock(settings, Arc::<TestClock>::clone(clock))
}

/// What becomes of a token: `allow`, or the code. It may be one that no header can carry.
pub async fn decide(server: &ResourceServer, token: &str) -> String {
    match server.authenticate(Credential::bearer(token)).await {
        Ok(_) => "allow".to_owned(),
        Err(Denial::Rejection(rejection)) => rejection.code().to_string(),
        Err(Denial::Outage(outage)) => outage.code().to_string(),
    }
}

/// What becomes of a request with a token where this is demanded of it.
pub async fn decide_by(server: &ResourceServer, token: &str, requirement: &Requirement) -> String {
    let mut headers = HeaderMap::new();
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    headers.insert("authorization", bearer);
    match server.decide(&headers, None, requirement).await {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Deny(rejection) => rejection.code().to_string(),
        Decision::Fail(outage) => outage.code().to_string(),
    }
}

/// Waits until it is so, and half a minute at most.
pub async fn eventually(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    waited.expect("it became so within half a minute");
}
