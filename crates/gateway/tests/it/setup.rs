//! The setup of most tests: a gateway between an identity provider and an upstream, on one clock.

use crate::client::Client;
use crate::upstream::Upstream;
use portcullis_core::token::NumericDate;
use portcullis_gateway::{Config, Gateway, Handle, Settings};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::{Clock as _, TestClock};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running gateway, and its surroundings.
pub(crate) struct TestSetup {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) idp: Idp,
    pub(crate) upstream: Upstream,
    pub(crate) gateway: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) redirect: Option<SocketAddr>,
    pub(crate) forward_auth: Option<SocketAddr>,
    pub(crate) ext_authz: Option<SocketAddr>,
    pub(crate) handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl TestSetup {
    /// Starts a gateway with these members of `[gateway]` and the tables that follow. `{upstream}`
    /// is the upstream's URL.
    pub(crate) async fn new(settings: &str) -> Self {
        Self::with_token_settings("", settings).await
    }

    /// As [`new`](Self::new), with members for the resource server.
    pub(crate) async fn with_token_settings(token_settings: &str, settings: &str) -> Self {
        let clock = Arc::new(TestClock::at(NumericDate::from_seconds(1_800_000_000)));
        let time = Arc::clone(&clock);
        let config = IdpConfig {
            access_token_lifetime: 3_600,
            ..IdpConfig::default()
        };
        let idp = Idp::start_at(config, move || u64::try_from(time.now().seconds()).unwrap())
            .await
            .unwrap();
        let upstream = Upstream::start().await;
        let text = format!("{token_settings}{}", document(&idp, &upstream, settings));
        let gateway = Gateway::bind_with_clock(read(&text), Arc::<TestClock>::clone(&clock))
            .await
            .unwrap();
        let (stop, stopped) = oneshot::channel();
        let setup = Self {
            clock,
            idp,
            upstream,
            gateway: gateway.address().unwrap(),
            admin: gateway.admin_address(),
            redirect: gateway.redirect_address(),
            forward_auth: gateway.forward_auth_address(),
            ext_authz: gateway.ext_authz_address(),
            handle: gateway.handle(),
            stop: Some(stop),
            running: tokio::spawn(gateway.run(async { _ = stopped.await })),
        };
        setup.eventually(|| setup.handle.is_ready()).await;
        setup
    }

    /// Other settings for the same gateway.
    pub(crate) fn settings(&self, settings: &str) -> Settings {
        read(&self.document(settings))
    }

    /// The document with these settings.
    pub(crate) fn document(&self, settings: &str) -> String {
        document(&self.idp, &self.upstream, settings)
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.gateway)
    }

    /// A token for a user without roles.
    pub(crate) fn token(&self) -> String {
        self.idp.token("bob").claim("sub", "user-1").sign()
    }

    pub(crate) async fn eventually(&self, what: impl Fn() -> bool) {
        let waiting = async {
            while !what() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting)
            .await
            .unwrap();
    }

    /// Stops the gateway, and waits for its end.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(Duration::from_secs(30), &mut self.running)
            .await
            .unwrap()
            .unwrap();
    }

    pub(crate) fn begin_to_stop(&mut self) {
        drop(self.stop.take());
    }
}

impl Drop for TestSetup {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// Audiences of resources, for the tests that have some.
const RESOURCES: &str = r#""https://gw.example/a", "https://gw.example/b", "urn:a""#;

fn document(idp: &Idp, upstream: &Upstream, settings: &str) -> String {
    let (issuer, audience) = (idp.issuer(), idp.audience());
    let log = if settings.contains("[log]") {
        ""
    } else {
        "[log]\naudit = \"none\"\n"
    };
    let url = upstream.url();
    let settings = settings.replace("{upstream}", &url);
    let default = if settings.starts_with("upstream = ") {
        String::new()
    } else {
        format!("upstream = \"{url}\"\n")
    };
    format!(
        "{log}[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{audience}\", {RESOURCES}]\n[gateway]\nlisten = \"127.0.0.1:0\"\n{default}{settings}"
    )
}

fn read(text: &str) -> Settings {
    Config::from_toml(text)
        .unwrap_or_else(|errors| panic!("{errors}\n{text}"))
        .try_into()
        .unwrap()
}
