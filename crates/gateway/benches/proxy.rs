//! A request through the gateway beside the same request through the barest proxy that the same
//! libraries make, and straight to the upstream; and the same request among one route and among a
//! thousand.
//!
//! All sides run on one thread, and one request follows the other: so time is the processor's.
//! Ratios come from rounds in which all take turns; the cost of a proxy is its time less the time
//! of going straight.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and stops when something is wrong"
)]

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_gateway::{Config, Gateway};
use portcullis_idp::{Idp, IdpConfig};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

const ROUNDS: usize = 41;
const REQUESTS: usize = 300;

fn main() {
    // `cargo test` runs benches too, with this argument: then one round shows that they work.
    let rounds = if std::env::args().any(|argument| argument == "--bench") {
        ROUNDS
    } else {
        1
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(bench(rounds));
}

async fn bench(rounds: usize) {
    let upstream = upstream().await;
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let token = |number: usize| {
        (0..8).fold(
            idp.token("alice")
                .scope("orders:read")
                .claim("n", number),
            |token, number| {
                token.claim(
                    &format!("claim_{number}"),
                    "some forty characters of an ordinary value",
                )
            },
        )
    };
    let tokens: Vec<String> = (0..REQUESTS)
        .map(|number| token(number).sign())
        .collect();
    let known = std::slice::from_ref(&tokens[0]);
    let (one, thousand) = (
        gateway(&idp, upstream, 20_000, 1).await,
        gateway(&idp, upstream, 20_000, 1_000).await,
    );
    let forgetful = gateway(&idp, upstream, 0, 1).await;
    let signing = gateway_telling(ASSERTION, &idp, upstream, 20_000, 1).await;
    let bare = bare(upstream).await;
    let mut lines = [
        Line::new("straight to the upstream", upstream, &[]).await,
        Line::new("the barest proxy", bare, &[]).await,
        Line::new("gateway, public route", one, &[]).await,
        Line::new("gateway, known token", one, known).await,
        Line::new("gateway, known token, 1,000 routes", thousand, known).await,
        Line::new("gateway, known token, assertion", signing, known).await,
        Line::new("gateway, fresh token", forgetful, &tokens).await,
    ];
    for _ in 0..rounds {
        for line in &mut lines {
            line.round().await;
        }
    }
    let straight = lines[0].best();
    let proxy = lines[1].best().saturating_sub(straight);
    println!(
        "{:<36} {:>12} {:>12} {:>8}",
        "microseconds a request", "all sides", "the proxy's", "ratio"
    );
    for line in &lines {
        let own = line.best().saturating_sub(straight);
        let ratio = own.as_secs_f64() / proxy.as_secs_f64();
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        println!(
            "{:<36} {:>12.1} {:>12.1} {ratio:>8.2}",
            line.name,
            micros(line.best()),
            micros(own)
        );
    }
}

/// A way to the upstream, and how long a request took in each round.
struct Line<'t> {
    name: &'static str,
    connection: SendRequest<Empty<Bytes>>,
    tokens: &'t [String],
    rounds: Vec<Duration>,
}

impl<'t> Line<'t> {
    async fn new(name: &'static str, address: SocketAddr, tokens: &'t [String]) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (connection, driver) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(driver);
        Self {
            name,
            connection,
            tokens,
            rounds: Vec::new(),
        }
    }

    async fn round(&mut self) {
        let began = Instant::now();
        for number in 0..REQUESTS {
            let request = Request::get("/orders/17/lines").header("host", "api.example");
            let request = match self.tokens.get(number % self.tokens.len().max(1)) {
                Some(token) => request.header("authorization", format!("Bearer {token}")),
                None => request.header("x-filler", "none"),
            };
            self.connection.ready().await.unwrap();
            let response = self
                .connection
                .send_request(request.body(Empty::new()).unwrap())
                .await
                .unwrap();
            assert_eq!(response.status(), 200);
            response.collect().await.unwrap();
        }
        self.rounds
            .push(began.elapsed() / u32::try_from(REQUESTS).unwrap());
    }

    fn best(&self) -> Duration {
        let mut rounds = self.rounds.clone();
        rounds.sort_unstable();
        // The lower quartile: others share this machine.
        rounds[rounds.len() / 4]
    }
}

async fn serve<F, A>(answer: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<http_body_util::combinators::UnsyncBoxBody<Bytes, hyper::Error>>>
        + Send
        + 'static,
{
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = socket.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answer = answer(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn upstream() -> SocketAddr {
    serve(|_| async {
        Response::new(
            Full::new(Bytes::from_static(b"an answer"))
                .map_err(|never| match never {})
                .boxed_unsync(),
        )
    })
    .await
}

/// What a proxy cannot do without: one client, one target.
async fn bare(upstream: SocketAddr) -> SocketAddr {
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build_http();
    serve(move |mut request: Request<Incoming>| {
        let client = client.clone();
        let target = request.uri().path_and_query().unwrap();
        *request.uri_mut() = format!("http://{upstream}{target}").parse().unwrap();
        async move {
            client
                .request(request)
                .await
                .unwrap()
                .map(BodyExt::boxed_unsync)
        }
    })
    .await
}

const ASSERTION: &str = "[gateway.identity.assertion]\nissuer = \"https://gw.example\"\naudience = \"https://orders.internal\"\n";

async fn gateway(idp: &Idp, upstream: SocketAddr, remembered: usize, routes: usize) -> SocketAddr {
    gateway_telling("", idp, upstream, remembered, routes).await
}

/// With these tables about what the upstream is told.
async fn gateway_telling(
    identity: &str,
    idp: &Idp,
    upstream: SocketAddr,
    remembered: usize,
    routes: usize,
) -> SocketAddr {
    let (issuer, audience) = (idp.issuer(), idp.audience());
    let mut text = format!(
        "remembered_tokens = {remembered}\n[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{audience}\"]\n\
         [gateway]\nlisten = \"127.0.0.1:0\"\nupstream = \"http://{upstream}\"\n{identity}\
         [[route]]\npath = \"/orders/*/lines\"\naccess = \"optional\"\n"
    );
    for number in 1..routes {
        let (area, kind) = (number % 30, number % 3);
        let path = [
            format!("/area{area}/n{number}/**"),
            format!("/area{area}/*/n{number}"),
            format!("/orders/*/n{number}"),
        ];
        writeln!(
            text,
            "[[route]]\npath = \"{}\"\nmethods = [\"GET\"]",
            path[kind]
        )
        .unwrap();
    }
    let settings = Config::from_toml(&text)
        .and_then(TryInto::try_into)
        .unwrap();
    let gateway = Gateway::bind(settings).await.unwrap();
    let (address, handle) = (gateway.address().unwrap(), gateway.handle());
    tokio::spawn(gateway.run(std::future::pending()));
    while !handle.is_ready() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    address
}
