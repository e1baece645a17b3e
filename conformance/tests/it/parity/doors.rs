//! One configuration of the corpus behind every door, with fixed keys and a fixed clock.

use super::door::Front;
use super::python::PythonDoors;
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::any;
use portcullis::{
    AuthorizedCaller, ProtectLayer, Requirement, Requires as _, ResourceServer, requirement,
};
use portcullis_core::Limits;
use portcullis_core::jose::Jwks;
use portcullis_core::token::NumericDate;
use portcullis_gateway::{Config, Gateway, RequestExplainer, Settings};
use portcullis_resource_server::clock::{Clock, TestClock};
use portcullis_testkit::NOW;
use portcullis_testkit::corpus::document;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

requirement!(Writer = scope("orders:write"));
requirement!(
    Payer = all([
        scope("payments"),
        acr(["phr", "mfa"]),
        max_age(Duration::from_secs(900))
    ])
);

/// All doors, with the same settings.
pub(super) struct Doors {
    pub(super) layered: Router,
    pub(super) extracted: Router,
    pub(super) proxy: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) forward_auth: BTreeMap<&'static str, SocketAddr>,
    pub(super) ext_authz: SocketAddr,
    pub(super) envoy: Channel,
    /// The doors of the Python package, or why there are none.
    pub(super) python: Result<PythonDoors, &'static str>,
    /// The gateway's settings, asked what would become of a request.
    pub(super) explainer: RequestExplainer,
    /// The headers of the last request that came to the upstream.
    pub(super) upstream: Arc<Mutex<Option<HeaderMap>>>,
    /// Dropped with the world; then all doors close.
    _running: JoinSet<()>,
}

const ROUTES: &str = r#"
[[route]]
path = "/write"
require = { scope = "orders:write" }
[[route]]
path = "/payments"
require = { scope = "payments", acr = ["phr", "mfa"], max_age = 900 }
"#;

/// The routes of `request-paths.json` as settings. A value of JSON is one of TOML here.
fn corpus_routes() -> String {
    let document = document("request-paths.json");
    let mut settings = String::new();
    for route in document["routes"].as_array().unwrap() {
        settings.push_str("[[route]]\n");
        let members = route.as_object().unwrap().iter();
        settings.extend(members.map(|(name, value)| format!("{name} = {value}\n")));
    }
    settings
}

pub(super) const IDENTITY: &str = r#"
[gateway.identity.headers]
x-auth-subject = "subject"
x-auth-client = "client"
x-auth-scopes = "scopes"
x-auth-issuer = "issuer"
x-auth-email = "claim:email"
"#;

impl Doors {
    /// The configuration of this name, as an operator would write it.
    pub(super) async fn of_corpus(document: &Value, name: &str) -> Self {
        let default = &document["configurations"]["default"]["issuers"];
        let issuers = document["configurations"][name]["issuers"]
            .as_array()
            .or(default.as_array())
            .unwrap();
        let profile = if name == "lenient-typ" {
            "generic"
        } else {
            "rfc9068"
        };
        let tables: String = issuers
            .iter()
            .map(|issuer| {
                let (url, audiences, algorithms) = (&issuer["issuer"], &issuer["audiences"], &issuer["algorithms"]);
                format!("[[issuer]]\nurl = {url}\naudience = {audiences}\nalgorithms = {algorithms}\nprofile = \"{profile}\"\n")
            })
            .collect();
        // Settings before and behind the issuers, where a suite has some.
        let text = |name: &str| document[name].as_str().unwrap_or_default();
        let tables = format!("{}{tables}{}", text("head"), text("tail"));
        let keys = issuers.iter().map(|issuer| {
            let identifier = issuer["issuer"].as_str().unwrap();
            let keys = json!({ "keys": document["jwks"][identifier] }).to_string();
            (identifier.to_owned(), keys)
        });
        let identity = document["gateway"].as_str().unwrap_or(IDENTITY);
        Self::telling(
            identity,
            &tables,
            &keys.collect::<Vec<_>>(),
            &Arc::new(TestClock::at(NumericDate::from_seconds(NOW))),
        )
        .await
    }

    /// All doors for these issuers.
    pub(super) async fn new(
        issuers: &str,
        key_sets: &[(String, String)],
        clock: &Arc<TestClock>,
    ) -> Self {
        Self::telling(IDENTITY, issuers, key_sets, clock).await
    }

    /// As [`new`](Self::new), with other tables about what the upstream is told.
    pub(super) async fn telling(
        identity: &str,
        issuers: &str,
        key_sets: &[(String, String)],
        clock: &Arc<TestClock>,
    ) -> Self {
        let mut running = JoinSet::new();
        let keys = &parsed(key_sets);
        let upstream = Arc::new(Mutex::new(None));
        let api = serve_upstream(&mut running, &upstream).await;
        let proxy_tables = format!(
            "listen = \"127.0.0.1:0\"\nupstream = \"http://{api}\"\nadmin = {{ listen = \"127.0.0.1:0\" }}\n"
        );
        let routes = format!("{ROUTES}{}", corpus_routes());
        let settings = |proxy: &str, door: &str| {
            let text = format!(
                "{issuers}[log]\naudit = \"none\"\n[gateway]\nhosts = [\"gw.example\"]\n{proxy}{identity}{door}{routes}"
            );
            let config =
                Config::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
            let settings =
                Settings::try_from(config).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
            keys.iter().fold(settings, |settings, (issuer, keys)| {
                settings.with_fixed_keys_of(issuer, keys)
            })
        };
        let ext_authz = "[ext_authz]\nlisten = \"127.0.0.1:0\"\npath_prefix = \"/check\"\n";
        let gateway = bind(settings(&proxy_tables, ext_authz), clock).await;
        let own_clock: Arc<dyn Clock> = Arc::<TestClock>::clone(clock);
        let explainer = RequestExplainer::new(settings(&proxy_tables, ext_authz), &own_clock);
        let explainer = explainer.unwrap();
        let admin = gateway.admin_address().unwrap();
        let (proxy, ext_authz) = (
            gateway.address().unwrap(),
            gateway.ext_authz_address().unwrap(),
        );
        running.spawn(gateway.run(std::future::pending()));
        let mut forward_auth = BTreeMap::new();
        for front in Front::ALL {
            let name = front.name();
            let door = format!(
                "[forward_auth]\nlisten = \"127.0.0.1:0\"\nproxy = \"{name}\"\ntrusted_peers = [\"127.0.0.1\"]\n"
            );
            let gateway = bind(settings("", &door), clock).await;
            forward_auth.insert(name, gateway.forward_auth_address().unwrap());
            running.spawn(gateway.run(std::future::pending()));
        }
        let tables = format!("{issuers}[gateway]\nhosts = [\"gw.example\"]\n{identity}{routes}");
        let python = PythonDoors::start(&tables, key_sets);
        let (layered, extracted) = library(issuers, keys, clock);
        let envoy = Endpoint::from_shared(format!("http://{ext_authz}"))
            .unwrap()
            .connect()
            .await
            .unwrap();
        Self {
            layered,
            extracted,
            proxy,
            admin,
            forward_auth,
            ext_authz,
            envoy,
            python,
            explainer,
            upstream,
            _running: running,
        }
    }
}

/// The key sets by issuer.
fn parsed(key_sets: &[(String, String)]) -> Vec<(String, Jwks)> {
    let parse = |keys: &str| Jwks::parse(keys.as_bytes(), &Limits::default()).unwrap();
    key_sets
        .iter()
        .map(|(issuer, keys)| (issuer.clone(), parse(keys)))
        .collect()
}

async fn bind(settings: Settings, clock: &Arc<TestClock>) -> Gateway {
    Gateway::bind_with_clock(settings, Arc::<TestClock>::clone(clock))
        .await
        .unwrap()
}

/// The layer before a service that asks for nothing, and handlers that ask by themselves.
fn library(issuers: &str, keys: &[(String, Jwks)], clock: &Arc<TestClock>) -> (Router, Router) {
    let config = portcullis_resource_server::Config::from_toml(issuers).unwrap();
    let settings = portcullis_resource_server::Settings::try_from(config).unwrap();
    let settings = keys.iter().fold(settings, |settings, (issuer, keys)| {
        settings.with_fixed_keys_of(issuer, keys)
    });
    let server = ResourceServer::with_clock(settings, Arc::<TestClock>::clone(clock));
    let writers = ProtectLayer::new(server.clone()).require(Requirement::scope("orders:write"));
    let payers = ProtectLayer::new(server.clone()).require(Payer::requirement().clone());
    let layered = Router::new()
        .route(
            "/",
            any(async || "ok").layer(ProtectLayer::new(server.clone())),
        )
        .route(
            "/orders/{id}",
            any(async || "ok").layer(ProtectLayer::new(server.clone())),
        )
        .route(
            "/x",
            any(async || "ok").layer(ProtectLayer::new(server.clone())),
        )
        .route(
            "/protectedresource",
            any(async || "ok").layer(ProtectLayer::new(server.clone())),
        )
        .route("/write", any(async || "ok").layer(writers))
        .route("/payments", any(async || "ok").layer(payers));
    let extracted = Router::new()
        .route("/", any(async |_: AuthorizedCaller| "ok"))
        .route("/orders/{id}", any(async |_: AuthorizedCaller| "ok"))
        .route("/x", any(async |_: AuthorizedCaller| "ok"))
        .route("/protectedresource", any(async |_: AuthorizedCaller| "ok"))
        .route("/write", any(async |_: AuthorizedCaller<Writer>| "ok"))
        .route("/payments", any(async |_: AuthorizedCaller<Payer>| "ok"))
        .with_state(server);
    (layered, extracted)
}

async fn serve_upstream(
    running: &mut JoinSet<()>,
    saw: &Arc<Mutex<Option<HeaderMap>>>,
) -> SocketAddr {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let address = socket.local_addr().unwrap();
    let saw = Arc::clone(saw);
    let app = Router::new().fallback(move |headers: HeaderMap| {
        *saw.lock().unwrap() = Some(headers);
        async { "ok" }
    });
    running.spawn(async move { axum::serve(socket, app).await.unwrap() });
    address
}
