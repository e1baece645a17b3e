//! The API behind the gateway: it lets everybody in, tells what it was sent, and has a stream of
//! events and a WebSocket. And the server of the page, which is on another origin.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What the API got: method, path, and the header `Cookie`.
pub(super) type Seen = Arc<Mutex<Vec<(Method, String, String)>>>;

/// Starts the API.
pub(super) async fn start_api(seen: Seen) -> SocketAddr {
    let router = Router::new()
        .route("/live", get(live))
        .route("/events", get(events))
        .fallback(echo)
        .with_state(seen);
    start(router).await
}

/// Starts the server of the page, with the library that it loads.
pub(super) async fn start_page(issuer: &str, api: &str, listener: TcpListener) {
    let settings = json!({ "issuer": issuer, "api": api });
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/chromium");
    let read = |file: &str| std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    let serve = |kind: &'static str, text: String| {
        get(async move || ([(header::CONTENT_TYPE, kind)], text.clone()).into_response())
    };
    let html = read("page/index.html");
    let library = read("node_modules/oauth4webapi/build/index.js");
    let router = Router::new()
        .route("/", serve("text/html", html.clone()))
        .route("/callback", serve("text/html", html))
        .route("/app.js", serve("text/javascript", read("page/app.js")))
        .route("/oauth4webapi.js", serve("text/javascript", library))
        .route("/favicon.ico", get(StatusCode::NO_CONTENT))
        .route("/settings.json", get(async move || Json(settings.clone())));
    tokio::spawn(async move { axum::serve(listener, router).await });
}

async fn start(router: Router) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Says who calls. Its own word about CORS is another one than the gateway's.
async fn echo(State(seen): State<Seen>, request: Request) -> Response {
    note(&seen, &request);
    let subject = request.headers().get("x-auth-subject").cloned();
    let subject = subject.map(|it| it.to_str().unwrap().to_owned());
    let mut response = Json(json!({ "subject": subject })).into_response();
    let headers = response.headers_mut();
    headers.insert("x-secret", "not for pages".parse().unwrap());
    response
}

fn note(seen: &Seen, request: &Request) {
    let cookies = text(request.headers(), "cookie");
    let path = request.uri().path().to_owned();
    let mut seen = seen.lock().unwrap();
    seen.push((request.method().clone(), path, cookies));
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(|value| value.to_str().unwrap());
    value.unwrap_or_default().to_owned()
}

/// Two events at once; then it stays open.
async fn events(State(seen): State<Seen>, request: Request) -> Response {
    note(&seen, &request);
    let body = Body::new(EventBody(vec!["data: two\n\n", "data: one\n\n"]));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// Sends what it holds, the last first, and does not end by itself.
struct EventBody(Vec<&'static str>);

impl hyper::body::Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.pop() {
            Some(event) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(event))))),
            None => Poll::Pending,
        }
    }
}

/// The handshake of RFC 6455, and one message: the subprotocols that were offered, and who calls.
async fn live(State(seen): State<Seen>, mut request: Request) -> Response {
    note(&seen, &request);
    let headers = request.headers().clone();
    let key = text(&headers, "sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let accept = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes()));
    let offered = text(&headers, "sec-websocket-protocol");
    let told = format!("{offered} {}", text(&headers, "x-auth-subject"));
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut stream = TokioIo::new(upgrade.await.unwrap());
        let length = u8::try_from(told.len()).unwrap();
        assert!(length < 126, "a short frame");
        let frame = [&[0x81, length], told.as_bytes()].concat();
        stream.write_all(&frame).await.unwrap();
        let mut rest = Vec::new();
        _ = stream.read_to_end(&mut rest).await;
    });
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert("connection", "upgrade".parse().unwrap());
    headers.insert("upgrade", "websocket".parse().unwrap());
    headers.insert("sec-websocket-accept", accept.parse().unwrap());
    if offered.contains("chat") {
        headers.insert("sec-websocket-protocol", "chat".parse().unwrap());
    }
    response
}
