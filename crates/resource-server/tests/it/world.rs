//! An identity provider, a resource server that trusts it, and the clock of both.

use http::{HeaderMap, HeaderValue};
use portcullis_core::token::NumericDate;
use portcullis_core::{Decision, Requirement};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::{Clock as _, TestClock};
use portcullis_resource_server::{ResourceServer, Settings};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const AUDIENCE: &str = "api://enterprise-api";

pub(crate) struct World {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) idp: Idp,
    pub(crate) server: ResourceServer,
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = clock();
        let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
        let server = server(idp.issuer().as_str(), &clock);
        Self { clock, idp, server }
    }

    /// What becomes of a token: `allow`, or the code.
    pub(crate) async fn decide(&self, token: &str) -> String {
        decide(&self.server, token).await
    }

    pub(crate) async fn eventually(&self, what: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !what(self) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting)
            .await
            .unwrap();
    }
}

pub(crate) fn clock() -> Arc<TestClock> {
    Arc::new(TestClock::at(NumericDate::from_seconds(1_800_000_000)))
}

pub(crate) async fn idp(clock: &Arc<TestClock>, listen: SocketAddr) -> Idp {
    let clock = Arc::clone(clock);
    // Tokens outlive every outage of these tests: what ends must end for another reason.
    let config = IdpConfig {
        listen,
        access_token_lifetime: 80_000,
        ..IdpConfig::default()
    };
    Idp::start_at(config, move || {
        u64::try_from(clock.now().seconds()).unwrap()
    })
    .await
    .unwrap()
}

pub(crate) fn server(issuer: &str, clock: &Arc<TestClock>) -> ResourceServer {
    ResourceServer::with_clock(
        Settings::new(issuer, AUDIENCE).unwrap(),
        Arc::<TestClock>::clone(clock),
    )
}

pub(crate) async fn decide(server: &ResourceServer, token: &str) -> String {
    decide_by(server, token, &Requirement::ValidToken).await
}

/// What becomes of a token where this is demanded of it.
pub(crate) async fn decide_by(
    server: &ResourceServer,
    token: &str,
    requirement: &Requirement,
) -> String {
    let mut headers = HeaderMap::new();
    headers.insert(
        "authorization",
        HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
    );
    match server.decide(&headers, None, requirement).await {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Deny(rejection) => rejection.code().to_string(),
        Decision::Fail(outage) => outage.code().to_string(),
    }
}
