//! A client for tests: hyper for valid requests, bare TCP for the others.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A response as the client got it.
#[derive(Debug)]
pub(crate) struct ClientResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl ClientResponse {
    pub(crate) async fn of(response: Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.to_bytes(),
        }
    }

    /// The body as JSON; null if it is something else.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The code of a problem document.
    pub(crate) fn code(&self) -> String {
        let problem = self.json();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    address: SocketAddr,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// A request of HTTP/1.1, with a token or without.
    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> ClientResponse {
        self.send(get(path, token)).await
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> ClientResponse {
        ClientResponse::of(self.open(request).await).await
    }

    /// Waits for the head of the response only.
    pub(crate) async fn open<B>(&self, request: Request<B>) -> Response<Incoming>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.try_open(request).await.unwrap()
    }

    pub(crate) async fn try_open<B>(&self, request: Request<B>) -> hyper::Result<Response<Incoming>>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let io = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        tokio::spawn(connection.with_upgrades());
        sender.send_request(request).await
    }

    /// A request of HTTP/2 by prior knowledge.
    pub(crate) async fn open_http2<B>(&self, request: Request<B>) -> Response<Incoming>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let io = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                .await
                .unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    }

    /// Bytes as they are; everything that comes back until the connection ends.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A server that closes early is what some bytes are for.
        _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let reading = stream.read_to_end(&mut answer);
        _ = tokio::time::timeout(Duration::from_secs(20), reading)
            .await
            .expect("the connection to end");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

pub(crate) fn get(path: &str, token: Option<&str>) -> Request<Full<Bytes>> {
    let request = Request::get(path).header("host", "gw.example");
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(Full::default()).unwrap()
}

/// The status of every answer in a stream of them.
pub(crate) fn statuses(answer: &str) -> Vec<u16> {
    let lines = answer.split("HTTP/1.").skip(1);
    lines
        .filter_map(|line| line.get(2..5)?.parse().ok())
        .collect()
}
