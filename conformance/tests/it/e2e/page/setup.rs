//! Everything that a page needs, on one clock: an identity provider, a gateway, an API, and the
//! server of the page on an origin of its own.

use super::api::{Seen, start_api, start_page};
use crate::e2e::chromium::Chromium;
use crate::e2e::recipes::setup::free;
use portcullis_core::token::NumericDate;
use portcullis_gateway::{Config, Gateway, Handle};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::{Clock, TestClock};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What is behind the page.
pub(super) struct PageSetup {
    pub(super) idp: Idp,
    pub(super) clock: Arc<TestClock>,
    /// The port of the page, at both names of this machine.
    pub(super) port: u16,
    /// Where the page calls: the gateway, or the program in front of it.
    pub(super) front: SocketAddr,
    /// Where a program in front asks.
    pub(super) door: SocketAddr,
    pub(super) api: SocketAddr,
    handle: Handle,
    seen: Seen,
    _stop: oneshot::Sender<()>,
}

const ROUTES: &str = r#"
[[route]]
path = "/public/**"
access = "public"
[[route]]
path = "/admin"
require = { role = "Admin" }
[[route]]
path = "/orders"
methods = ["POST"]
require = { scope = "orders:write" }
"#;

impl PageSetup {
    /// A page that calls the gateway's own proxy.
    pub(super) async fn new() -> Self {
        Self::with(|front, _, api| {
            format!("[gateway]\nlisten = \"{front}\"\nupstream = \"http://{api}\"\n")
        })
        .await
    }

    /// A page that calls a program in front, which asks the gateway.
    pub(super) async fn behind(proxy: &str) -> Self {
        Self::with(|_, door, _| {
            format!(
                "[forward_auth]\nlisten = \"{door}\"\nproxy = \"{proxy}\"\n\
                 trusted_peers = [\"127.0.0.1\"]\n"
            )
        })
        .await
    }

    async fn with(doors: impl Fn(SocketAddr, SocketAddr, SocketAddr) -> String) -> Self {
        // All addresses: `localhost` and `127.0.0.1` are two sites for a browser, on one port.
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))
            .await
            .unwrap();
        let port = listener.local_addr().unwrap().port();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = i64::try_from(now.unwrap().as_secs()).unwrap();
        let clock = Arc::new(TestClock::at(NumericDate::from_seconds(now)));
        // The provider and the gateway share it: a token expires at both at once, without a sleep.
        let time = Arc::clone(&clock);
        let config = IdpConfig {
            access_token_lifetime: 900,
            ..IdpConfig::default()
        };
        let idp = Idp::start_at(config, move || u64::try_from(time.now().seconds()).unwrap());
        let idp = idp.await.unwrap();
        let seen = Seen::default();
        let api = start_api(Arc::clone(&seen)).await;
        let (front, door) = (free(), free());
        let text = format!(
            "token_cookie = \"token\"\n[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n\
             [log]\naudit = \"none\"\n{}\n[gateway.cors]\n\
             origins = [\"http://127.0.0.1:{port}\"]\ncredentials = true\n{ROUTES}",
            idp.issuer(),
            idp.audience(),
            doors(front, door, api),
        );
        let settings = Config::from_toml(&text).unwrap().try_into().unwrap();
        let (gateway, handle, stop) = run(settings, &clock).await;
        start_page(idp.issuer().as_str(), &format!("http://{front}"), listener).await;
        let setup = Self {
            idp,
            clock,
            port,
            front: gateway.unwrap_or(front),
            door,
            api,
            handle,
            seen,
            _stop: stop,
        };
        setup.wait_for_keys().await;
        setup
    }

    async fn wait_for_keys(&self) {
        let waiting = async {
            while !self.handle.is_ready() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waiting = tokio::time::timeout(Duration::from_secs(30), waiting);
        waiting.await.unwrap();
    }

    /// The origin of the page, as the gateway knows it.
    pub(super) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same page on an origin of another site, which the gateway does not know.
    pub(super) fn foreign_origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The requests that came to the API since the last time: method and path.
    pub(super) fn taken(&self) -> Vec<String> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        let lines = seen.into_iter();
        lines
            .map(|(method, path, cookies)| format!("{method} {path} {cookies}").trim().to_owned())
            .collect()
    }

    /// Somebody signs in at the page of an origin, with a code and PKCE.
    pub(super) async fn sign_in(&self, browser: &mut Chromium, origin: &str, username: &str) {
        assert_eq!(browser.open(&format!("{origin}/")).await, 200);
        browser.see("Ready").await;
        browser.press("Sign in").await;
        browser.at(self.idp.issuer().as_str()).await;
        browser.fill("Username", username).await;
        browser.fill("Password", username).await;
        browser.press("Sign in").await;
        browser.see("Signed in").await;
    }
}

async fn run(
    settings: portcullis_gateway::Settings,
    clock: &Arc<TestClock>,
) -> (Option<SocketAddr>, Handle, oneshot::Sender<()>) {
    let gateway = Gateway::bind_with_clock(settings, Arc::<TestClock>::clone(clock)).await;
    let gateway = gateway.unwrap();
    let (address, handle) = (gateway.address(), gateway.handle());
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(gateway.run(async { _ = stopped.await }));
    (address, handle, stop)
}

/// Calls the API from the page, and answers with what its script can read.
pub(super) async fn call(
    browser: &mut Chromium,
    method: &str,
    path: &str,
    options: Value,
) -> Value {
    browser
        .call("call", json!([method, path, options]))
        .await
}
