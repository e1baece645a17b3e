//! Three gateways over one Redis, in front of an API with a WebSocket.

use super::transmitter::SECRET;
use crate::e2e::process::{Folder, free_port};
use crate::e2e::provider::AUDIENCE;
use crate::e2e::redis::Redis;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use hyper_util::rt::TokioIo;
use portcullis_gateway::{Config, Gateway, Handle};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// The receivers' own secret.
pub(super) const AUTHORIZATION: &str = "Bearer receiver-secret";

/// RFC 6455, section 1.3: a key, and what a server says to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How long it may take until a replica that was not told itself refuses. The bound is generous.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Replicas {
    addresses: Vec<SocketAddr>,
    handles: Vec<Handle>,
    _stops: Vec<oneshot::Sender<()>>,
    _redis: Redis,
    folder: Folder,
}

/// What the gateways trust, known before they start.
pub(super) struct ReplicaPlan {
    redis: Redis,
    folder: Folder,
    ports: [u16; 3],
}

impl ReplicaPlan {
    /// None where there is no Redis.
    pub(super) fn new(name: &str) -> Option<Self> {
        let plain = |_: &Path, port: u16| {
            ["--port", &port.to_string()]
                .map(str::to_owned)
                .to_vec()
        };
        let redis = Redis::start(name, plain)?;
        let folder = Folder::new(&format!("{name}-gateways"), redis.port);
        std::fs::write(folder.0.join("authorization"), AUTHORIZATION).unwrap();
        let ports = [free_port(), free_port(), free_port()];
        Some(Self {
            redis,
            folder,
            ports,
        })
    }

    /// An address below the receivers' path of the first gateway.
    pub(super) fn receiver(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/.portcullis/{path}", self.ports[0])
    }

    /// Starts the gateways with an issuer, and with what they receive.
    pub(super) async fn start(self, issuer: &str, receives: &str) -> Replicas {
        let api = start_api().await;
        let store = format!("redis://127.0.0.1:{}", self.redis.port);
        let authorization = self.folder.0.join("authorization");
        let receives = receives.replace("{authorization}", &authorization.display().to_string());
        let poll = self.folder.0.join("poll");
        std::fs::write(&poll, format!("Bearer {SECRET}")).unwrap();
        let receives = receives.replace("{poll}", &poll.display().to_string());
        let mut replicas = Replicas {
            addresses: Vec::new(),
            handles: Vec::new(),
            _stops: Vec::new(),
            _redis: self.redis,
            folder: self.folder,
        };
        for port in self.ports {
            let audit = audit_file(&replicas.folder, port);
            let audit = audit.display();
            let settings = format!(
                "[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{AUDIENCE}\"]\n{receives}\n\
                 [revocation]\nstore = \"{store}\"\n[log]\n\
                 format = \"json\"\naudit = \"{audit}\"\n[gateway]\nlisten = \"127.0.0.1:{port}\"\nupstream = \"http://{api}\"\n"
            );
            std::fs::write(replicas.settings_file(), &settings).unwrap();
            replicas.add(&settings).await;
        }
        replicas.ready().await;
        replicas
    }
}

fn audit_file(folder: &Folder, port: u16) -> PathBuf {
    folder.0.join(format!("audit-{port}.json"))
}

impl Replicas {
    async fn add(&mut self, settings: &str) {
        let settings = Config::from_toml(settings)
            .unwrap_or_else(|errors| panic!("{errors}\n{settings}"))
            .try_into();
        let gateway = Gateway::bind(settings.unwrap()).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        self.addresses.push(gateway.address().unwrap());
        self.handles.push(gateway.handle());
        self._stops.push(stop);
        tokio::spawn(gateway.run(async { _ = stopped.await }));
    }

    /// The settings of one of them, as a file.
    pub(super) fn settings_file(&self) -> PathBuf {
        self.folder.0.join("portcullis.toml")
    }

    async fn ready(&self) {
        let ready = async {
            while !self.handles.iter().all(Handle::is_ready) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready)
            .await
            .expect("the gateways to have keys and the store");
    }

    /// The status that each replica answers a token with.
    pub(super) async fn statuses(&self, token: &str) -> Vec<u16> {
        let mut statuses = Vec::new();
        for address in &self.addresses {
            let request = reqwest::Client::new().get(format!("http://{address}/orders"));
            let response = request.bearer_auth(token).send().await.unwrap();
            statuses.push(response.status().as_u16());
        }
        statuses
    }

    /// Waits until every replica refuses the token.
    pub(super) async fn refuse(&self, token: &str) {
        let refused = async {
            while self.statuses(token).await != [401; 3] {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, refused)
            .await
            .expect("every replica to refuse the token");
    }

    /// The audit records of events, of all replicas, once there are so many.
    pub(super) async fn event_records(&self, count: usize) -> Vec<Value> {
        let found = async {
            loop {
                let records = self.read_event_records();
                if records.len() >= count {
                    return records;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.expect("a record of each event")
    }

    fn read_event_records(&self) -> Vec<Value> {
        let mut records = Vec::new();
        for address in &self.addresses {
            let file = audit_file(&self.folder, address.port());
            let text = std::fs::read_to_string(file).unwrap();
            // The last line may not be whole yet.
            let lines = text
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'));
            let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
            records.extend(lines.filter(|record| record["record"] == "event"));
        }
        records
    }

    /// A WebSocket through each replica.
    pub(super) async fn sockets(&self, token: &str) -> Vec<TcpStream> {
        let mut sockets = Vec::new();
        for address in &self.addresses {
            sockets.push(open(*address, token).await);
        }
        sockets
    }
}

/// Opens a WebSocket, and reads what the API says first.
async fn open(address: SocketAddr, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /live HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let mut hello = [0; 4];
    stream.read_exact(&mut hello).await.unwrap();
    assert_eq!(&hello, b"\x81\x02hi");
    stream
}

/// Waits for the closing frame of each (RFC 6455, section 5.5.1), and answers with their reasons.
pub(super) async fn close_reasons(sockets: Vec<TcpStream>) -> Vec<String> {
    let mut reasons = Vec::new();
    for mut socket in sockets {
        let mut head = [0; 4];
        tokio::time::timeout(PATIENCE, socket.read_exact(&mut head))
            .await
            .expect("the WebSocket to end")
            .unwrap();
        assert_eq!(head[0], 0x88, "a closing frame: {head:?}");
        let mut reason = vec![0; usize::from(head[1]) - 2];
        socket.read_exact(&mut reason).await.unwrap();
        reasons.push(String::from_utf8(reason).unwrap());
    }
    reasons
}

async fn start_api() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let api = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, api).await });
    address
}

/// A WebSocket that says one word, and waits; or 200.
async fn answer(mut request: Request) -> Response {
    if !request.headers().contains_key("upgrade") {
        return StatusCode::OK.into_response();
    }
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut stream = TokioIo::new(upgrade.await.unwrap());
        stream.write_all(b"\x81\x02hi").await.unwrap();
        _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let headers = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-accept", ACCEPT),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}
