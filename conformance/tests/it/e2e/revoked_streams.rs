//! One revocation ends the streams of its subject at every replica: three gateways and an
//! application with the library, which share a real Redis and nothing else.

use super::redis::Redis;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis::{AuthorizedCaller, Config, ResourceServer, Revocation, Settings, StoreUrl};
use portcullis_core::token::NumericDate;
use portcullis_gateway::Gateway;
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::RevocationStore;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A body that begins, and goes on until its end comes.
struct Endless(Option<Bytes>, Pin<Box<dyn Future<Output = ()> + Send>>);

impl Endless {
    fn new(first: &'static [u8]) -> Self {
        Self(
            Some(Bytes::from_static(first)),
            Box::pin(std::future::pending()),
        )
    }
}

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
            None => self.1.as_mut().poll(context).map(|()| None),
        }
    }
}

/// An API with a WebSocket, events and a stream of gRPC, none of which ends by itself.
async fn answer(mut request: Request<Incoming>) -> Result<Response<Endless>, Infallible> {
    let mut response = Response::new(Endless::new(b"first"));
    let kind = match request.uri().path() {
        "/live" => {
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                // Held open by the server; a text frame shows the client that it is open.
                let mut live = TokioIo::new(upgrade.await.unwrap());
                live.write_all(b"\x81\x05first").await.unwrap();
                _ = live.read_to_end(&mut Vec::new()).await;
            });
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let fields = response.headers_mut();
            fields.insert(CONNECTION, "upgrade".parse().unwrap());
            fields.insert(UPGRADE, "websocket".parse().unwrap());
            return Ok(response);
        }
        "/orders.Orders/Watch" => "application/grpc",
        "/events" => "text/event-stream",
        _ => "application/octet-stream",
    };
    let kind = kind.parse().unwrap();
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

async fn upstream(running: &mut JoinSet<()>) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    running.spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            tokio::spawn(async move {
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let stream = TokioIo::new(stream);
                _ = builder
                    .serve_connection_with_upgrades(stream, service_fn(answer))
                    .await;
            });
        }
    });
    address
}

/// An application that ends its own stream.
async fn events(State(server): State<ResourceServer>, caller: AuthorizedCaller) -> Response<Body> {
    let token = caller.into_token();
    let end = Box::pin(async move { _ = server.wait_for_end(&token).await });
    Response::new(Body::new(Endless(Some(Bytes::from_static(b"first")), end)))
}

struct Fleet {
    idp: Idp,
    redis: Redis,
    gateways: Vec<SocketAddr>,
    application: SocketAddr,
    _running: JoinSet<()>,
}

impl Fleet {
    async fn new() -> Option<Self> {
        let port = |_: &Path, port: u16| vec!["--port".to_owned(), port.to_string()];
        let redis = Redis::start("streams", port)?;
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        let mut running = JoinSet::new();
        let api = upstream(&mut running).await;
        let tokens = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n\
             [revocation]\nstore = \"redis://127.0.0.1:{}\"\n",
            idp.issuer(),
            idp.audience(),
            redis.port
        );
        let settings = format!(
            "{tokens}[log]\naudit = \"none\"\n[gateway]\nlisten = \"127.0.0.1:0\"\n\
             upstream = \"http://{api}\"\n\
             [[route]]\npath = \"/orders.Orders/**\"\nupstream = \"grpc\"\n\
             [[upstream]]\nname = \"grpc\"\nservers = [\"http://{api}\"]\nprotocol = \"http2\"\n"
        );
        let mut gateways = Vec::new();
        for _ in 0..3 {
            let settings = portcullis_gateway::Config::from_toml(&settings).unwrap();
            let gateway = Gateway::bind(settings.try_into().unwrap())
                .await
                .unwrap();
            gateways.push(gateway.address().unwrap());
            running.spawn(gateway.run(std::future::pending()));
        }
        let config = Config::from_toml(&tokens).unwrap();
        let server = ResourceServer::with_settings(Settings::try_from(config).unwrap());
        server.start();
        let app = Router::new()
            .route("/events", get(events))
            .with_state(server);
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let application = socket.local_addr().unwrap();
        running.spawn(async move { axum::serve(socket, app).await.unwrap() });
        Some(Self {
            idp,
            redis,
            gateways,
            application,
            _running: running,
        })
    }

    fn token(&self, subject: &str) -> String {
        self.idp.token("alice").claim("sub", subject).sign()
    }

    /// Every kind of stream at every replica.
    async fn open_all(&self, token: &str) -> Vec<OpenStream> {
        let mut streams = Vec::new();
        for gateway in &self.gateways {
            streams.push(open_http1("WebSocket", *gateway, "/live", HANDSHAKE, token).await);
            streams.push(open_http1("events", *gateway, "/events", "", token).await);
            streams.push(open_http1("download", *gateway, "/file", "", token).await);
            streams.push(open_grpc(*gateway, token).await);
        }
        streams.push(open_http1("library", self.application, "/events", "", token).await);
        streams
    }

    /// From outside of all replicas, as `portcullis revoke` does.
    async fn revoke(&self, subject: &str) {
        let url = StoreUrl::new(format!("redis://127.0.0.1:{}", self.redis.port));
        let store = RevocationStore::new(&url, None).unwrap();
        let now = NumericDate::from(SystemTime::now());
        let revocation = Revocation::subject(self.idp.issuer(), subject, now);
        store.publish(&revocation, now).await.unwrap();
    }
}

const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A stream that has begun; it tells its end, as the client reads it.
struct OpenStream {
    kind: &'static str,
    end: mpsc::Receiver<String>,
}

async fn open_http1(
    kind: &'static str,
    at: SocketAddr,
    path: &str,
    fields: &str,
    token: &str,
) -> OpenStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         {fields}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    while !received.windows(5).any(|five| five == b"first") {
        assert!(stream.read_buf(&mut received).await.unwrap() > 0);
    }
    let (told, end) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut last = [0; 1_000];
        let read = stream.read(&mut last).await.unwrap_or_default();
        let last = String::from_utf8_lossy(&last[..read]).into_owned();
        // Nobody asks any more where the test is over.
        _ = told.send(last).await;
    });
    OpenStream { kind, end }
}

async fn open_grpc(at: SocketAddr, token: &str) -> OpenStream {
    let stream = TokioIo::new(TcpStream::connect(at).await.unwrap());
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://{at}/orders.Orders/Watch"))
        .version(Version::HTTP_2)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let mut response = client.send_request(request).await.unwrap();
    assert!(response.frame().await.unwrap().unwrap().is_data());
    let (told, end) = mpsc::channel(1);
    tokio::spawn(async move {
        let last = response.frame().await.unwrap().unwrap();
        let trailers = last.into_trailers().unwrap();
        let status = trailers["grpc-status"].to_str().unwrap().to_owned();
        _ = told.send(status).await;
        drop(client);
    });
    OpenStream { kind: "gRPC", end }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_revocation_ends_the_streams_of_its_subject_at_every_replica() {
    let Some(fleet) = Fleet::new().await else {
        return;
    };
    let mut kept = fleet.open_all(&fleet.token("bystander")).await;
    let mut slowest: Vec<(Duration, &str)> = Vec::new();
    for round in 0..5 {
        let subject = format!("subject-{round}");
        let streams = fleet.open_all(&fleet.token(&subject)).await;
        fleet.revoke(&subject).await;
        let began = Instant::now();
        let mut ended = JoinSet::new();
        for mut stream in streams {
            ended.spawn(async move {
                let last = tokio::time::timeout(Duration::from_secs(60), stream.end.recv());
                (stream.kind, last.await.unwrap().unwrap(), began.elapsed())
            });
        }
        let mut last = (Duration::ZERO, "");
        for (kind, told, took) in ended.join_all().await {
            match kind {
                "WebSocket" => assert!(told.ends_with("the access token was revoked"), "{told}"),
                // The last chunk: the client knows that it has all, and connects again.
                "events" | "library" => assert_eq!(told, "0\r\n\r\n", "{kind}"),
                // No last chunk: the client knows that it has not.
                "download" => assert_eq!(told, ""),
                _ => assert_eq!(told, "16"),
            }
            last = last.max((took, kind));
        }
        slowest.push(last);
    }
    slowest.sort();
    println!("until all 13 streams at 4 replicas had ended: {slowest:?}");
    for stream in &mut kept {
        assert!(stream.end.try_recv().is_err(), "{}", stream.kind);
    }
}
