//! An upstream that records the requests it gets, and echoes their bodies.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request as the upstream got it.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) target: String,
    /// `:authority`, of HTTP/2.
    pub(crate) authority: Option<String>,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) trailers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the body came whole.
    pub(crate) whole: bool,
}

impl ReceivedRequest {
    /// All values of a header, in every spelling that common servers treat as the same.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        let fold = |name: &str| name.to_ascii_lowercase().replace('_', "-");
        let all = self.headers.iter().chain(&self.trailers);
        let same = all.filter(|(held, _)| fold(held.as_str()) == fold(name));
        same.map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect()
    }
}

/// The upstream. It stops when it is dropped.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    saw: Arc<Mutex<Vec<ReceivedRequest>>>,
    serving: JoinHandle<()>,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into()).await
    }

    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let socket = TcpListener::bind(address).await.unwrap();
        let address = socket.local_addr().unwrap();
        let saw = Arc::new(Mutex::new(Vec::new()));
        let serving = tokio::spawn(serve(socket, Arc::clone(&saw)));
        Self {
            address,
            saw,
            serving,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests since the last call.
    pub(crate) fn take_requests(&self) -> Vec<ReceivedRequest> {
        std::mem::take(&mut self.saw.lock().unwrap())
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(socket: TcpListener, saw: Arc<Mutex<Vec<ReceivedRequest>>>) {
    // Dropped with the task, which ends all connections, like the death of a process.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = socket.accept().await.unwrap();
        let saw = Arc::clone(&saw);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&saw)));
            let builder = Builder::new(TokioExecutor::new());
            _ = builder
                .serve_connection_with_upgrades(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    saw: Arc<Mutex<Vec<ReceivedRequest>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let collected = body.collect().await;
    let whole = collected.is_ok();
    let (trailers, body) = match collected {
        Ok(collected) => (
            collected.trailers().cloned().unwrap_or_default(),
            collected.to_bytes(),
        ),
        Err(_) => (HeaderMap::new(), Bytes::new()),
    };
    let seen = ReceivedRequest {
        target: parts
            .uri
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        authority: parts.uri.authority().map(ToString::to_string),
        version: parts.version,
        headers: parts.headers,
        trailers,
        body: body.clone(),
        whole,
    };
    saw.lock().unwrap().push(seen);
    let mut response = Response::new(Full::new(body));
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("x-upstream"),
        HeaderValue::from_static("1"),
    );
    headers.insert(
        HeaderName::from_static("connection"),
        HeaderValue::from_static("x-hop"),
    );
    headers.insert(
        HeaderName::from_static("x-hop"),
        HeaderValue::from_static("1"),
    );
    Ok(response)
}
