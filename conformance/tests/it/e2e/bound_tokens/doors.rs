//! A protected API behind the gateway, and one with the library inside, each with nonces and
//! without, all at addresses of their own on loopback.

use axum::Router;
use axum::routing::any;
use portcullis::{Config, ProtectLayer, ResourceServer, Settings};
use portcullis_gateway::Gateway;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A protected API as clients see it.
pub(super) struct Door {
    pub(super) name: &'static str,
    address: SocketAddr,
    pub(super) nonces: bool,
}

/// All of them. They close when they are dropped.
pub(super) struct Doors {
    pub(super) all: Vec<Door>,
    _running: JoinSet<()>,
}

impl Door {
    /// What a client is told of it. The query is no part of what a proof is for.
    pub(super) fn described(&self) -> Value {
        let url = format!("http://{}/orders/42?page=2", self.address);
        json!({ "name": self.name, "url": url })
    }
}

impl Doors {
    /// Doors for the issuer of this table.
    pub(super) async fn new(issuer: &str) -> Self {
        let mut running = JoinSet::new();
        let api = upstream(&mut running).await;
        let mut all = Vec::new();
        for (name, nonces) in [("gateway", false), ("gateway with nonces", true)] {
            let tables = format!(
                "{issuer}[dpop]\nnonces = {nonces}\n[log]\naudit = \"none\"\n\
                 [gateway]\nlisten = \"127.0.0.1:0\"\nupstream = \"http://{api}\"\n"
            );
            let address = gateway(&tables, &mut running).await;
            all.push(Door {
                name,
                address,
                nonces,
            });
        }
        for (name, nonces) in [("library", false), ("library with nonces", true)] {
            let address = application(issuer, nonces, &mut running).await;
            all.push(Door {
                name,
                address,
                nonces,
            });
        }
        Self {
            all,
            _running: running,
        }
    }
}

/// An API without any protection of its own.
pub(super) async fn upstream(running: &mut JoinSet<()>) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let app = Router::new().fallback(any(async || "ok"));
    running.spawn(async move { axum::serve(socket, app).await.unwrap() });
    address
}

pub(super) async fn gateway(tables: &str, running: &mut JoinSet<()>) -> SocketAddr {
    let config = portcullis_gateway::Config::from_toml(tables);
    let config = config.unwrap_or_else(|errors| panic!("{errors}\n{tables}"));
    let settings = portcullis_gateway::Settings::try_from(config).unwrap();
    let gateway = Gateway::bind(settings).await.unwrap();
    let address = gateway.address().unwrap();
    running.spawn(gateway.run(std::future::pending()));
    address
}

/// A service of axum. It knows by `public_origin` what its clients write.
async fn application(issuer: &str, nonces: bool, running: &mut JoinSet<()>) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let text = format!("public_origin = \"http://{address}\"\n{issuer}[dpop]\nnonces = {nonces}\n");
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let server = ResourceServer::with_settings(settings);
    let app = Router::new()
        .fallback(any(async || "ok"))
        .layer(ProtectLayer::new(server));
    running.spawn(async move { axum::serve(socket, app).await.unwrap() });
    address
}
