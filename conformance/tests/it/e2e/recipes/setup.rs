//! One recipe set up: identity provider, API, gateway, and the program in front.

use super::committed;
use super::wire::{Answer, send};
use crate::e2e::process::{Process, program};
use axum::Router;
use axum::extract::Request;
use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Everything but the program in front.
pub(super) struct RecipeSetup {
    pub(super) idp: Idp,
    pub(super) folder: PathBuf,
    /// Where the program in front listens, where the gateway is asked, where the API is.
    pub(super) front: SocketAddr,
    pub(super) door: SocketAddr,
    pub(super) api: SocketAddr,
    seen: Seen,
    gateway: Option<Process>,
}

/// A request as the API got it: method, target, and header lines in small letters.
pub(super) type Got = (String, String, Vec<String>);
type Seen = Arc<Mutex<Vec<Got>>>;

impl RecipeSetup {
    /// With an API that keeps what it gets, and the gateway by the settings of a recipe.
    pub(super) async fn new(name: &str, settings: &str) -> Self {
        let world = Self::before_gateway(name).await.with_api().await;
        world.with_gateway(settings, "ready").await
    }

    /// The same, with a line of the settings in place of another one.
    pub(super) async fn changed(name: &str, settings: &str, from: &str, to: &str) -> Self {
        let world = Self::before_gateway(name).await.with_api().await;
        let text = committed(settings);
        assert!(text.contains(from), "{from}");
        let text = world.place(&text.replacen(from, to, 1));
        world.with_settings(&text, "ready").await
    }

    /// The same, but the keys of the identity provider could never be had.
    pub(super) async fn without_keys(name: &str, settings: &str) -> Self {
        let world = Self::before_gateway(&format!("{name}-outage"))
            .await
            .with_api()
            .await;
        world.idp.fail(Endpoint::Jwks, Fault::InternalError);
        world.with_gateway(settings, "live").await
    }

    /// With an API and no gateway yet.
    pub(super) async fn without_gateway(name: &str) -> Self {
        Self::before_gateway(name).await.with_api().await
    }

    /// With these settings, whose places are those of the recipes.
    pub(super) async fn with_text(name: &str, text: &str) -> Self {
        let world = Self::before_gateway(name).await.with_api().await;
        let text = world.place(text);
        world.with_settings(&text, "ready").await
    }

    /// With nothing yet where the API will be, and the gateway itself in front.
    pub(super) async fn behind(name: &str, settings: &str) -> Self {
        Self::before_gateway(name)
            .await
            .with_gateway(settings, "ready")
            .await
    }

    /// The same, but the keys of the identity provider could never be had.
    pub(super) async fn behind_without_keys(name: &str, settings: &str) -> Self {
        let world = Self::before_gateway(&format!("{name}-outage")).await;
        world.idp.fail(Endpoint::Jwks, Fault::InternalError);
        world.with_gateway(settings, "live").await
    }

    async fn before_gateway(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("portcullis-recipe-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        let seen = Seen::default();
        Self {
            idp,
            folder,
            front: free(),
            door: free(),
            api: free(),
            seen,
            gateway: None,
        }
    }

    async fn with_api(mut self) -> Self {
        self.api = api(Arc::clone(&self.seen)).await;
        self
    }

    async fn with_gateway(self, settings: &str, probe: &str) -> Self {
        let text = self.placed(settings);
        self.with_settings(&text, probe).await
    }

    async fn with_settings(mut self, text: &str, probe: &str) -> Self {
        let admin = free();
        let text = text.to_owned() + &format!("\n[gateway.admin]\nlisten = \"{admin}\"\n");
        let file = self.folder.join("portcullis.toml");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(program("portcullis"));
        command
            .arg("serve")
            .arg("--config")
            .arg(file)
            .env("RUST_LOG", "off");
        self.gateway = Some(Process::start(&mut command));
        eventually("the gateway", || {
            send(admin, "GET", &format!("/{probe}"), &[]).is_ok_and(|it| it.status == 200)
        })
        .await;
        self
    }

    /// A committed file with the places of this world in it.
    pub(super) fn placed(&self, path: &str) -> String {
        self.place(&committed(path))
    }

    pub(super) fn place(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let issuer = self.idp.issuer().to_string();
        for (written, meant) in [
            ("127.0.0.1:8080", self.front.to_string()),
            ("http://:8080", format!("http://:{}", self.front.port())),
            ("127.0.0.1:8081", self.door.to_string()),
            ("127.0.0.1:9191", self.door.to_string()),
            ("127.0.0.1:8000", self.api.to_string()),
            (
                "port_value: 8080",
                format!("port_value: {}", self.front.port()),
            ),
            (
                "port_value: 9191",
                format!("port_value: {}", self.door.port()),
            ),
            (
                "port_value: 8000",
                format!("port_value: {}", self.api.port()),
            ),
            ("https://idp.example.com", issuer.clone()),
            ("http://127.0.0.1:9000", issuer),
            ("{folder}", self.folder.display().to_string()),
        ] {
            text = text.replace(written, &meant);
        }
        text
    }

    /// Waits until the program in front answers, and has read what it forwards to.
    pub(super) async fn fronted(&self) {
        let answers =
            || send(self.front, "GET", "/public-data", &[]).is_ok_and(|it| it.status != 404);
        eventually("the program in front", answers).await;
        self.taken();
    }

    pub(super) fn send(&self, method: &str, target: &str, lines: &[String]) -> Answer {
        self.try_send(method, target, lines).unwrap()
    }

    pub(super) fn try_send(
        &self,
        method: &str,
        target: &str,
        lines: &[String],
    ) -> std::io::Result<Answer> {
        send(self.front, method, target, lines)
    }

    /// What the API got since the last time.
    pub(super) fn taken(&self) -> Vec<Got> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    pub(super) fn stop_gateway(&mut self) {
        drop(self.gateway.take());
    }
}

impl Drop for RecipeSetup {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// An API that lets everybody in, and remembers.
async fn api(seen: Seen) -> SocketAddr {
    let socket = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = socket.local_addr().unwrap();
    let remember = move |request: Request| {
        let seen = Arc::clone(&seen);
        async move {
            let lines = request.headers().iter();
            let lines = lines
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                .collect();
            let (method, target) = (request.method().to_string(), request.uri().to_string());
            seen.lock().unwrap().push((method, target, lines));
            "the API"
        }
    };
    tokio::spawn(async move { axum::serve(socket, Router::new().fallback(remember)).await });
    address
}

/// An address that nobody uses at the moment. Its port is below those that systems give to
/// connections: one of these could take it before the program in front does.
pub(in crate::e2e) fn free() -> SocketAddr {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let mut ports = std::iter::repeat_with(|| {
        // Several suites may run at once, so each begins elsewhere.
        let count = std::process::id() % 1_000 * 64 + TAKEN.fetch_add(1, Ordering::Relaxed);
        u16::try_from(20_000 + count % 12_000).unwrap()
    });
    let free = ports.find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
    free.unwrap().local_addr().unwrap()
}

/// Asks again until it is so, for half a minute.
pub(in crate::e2e) async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} is not there");
}
