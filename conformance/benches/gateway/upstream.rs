//! The API behind the gateway: it answers with who the gateway says the caller is.

use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// How long a POST takes, so that some are under way whenever the server stops.
const WORK: Duration = Duration::from_millis(10);

/// A server that stops as a killed one does when this is dropped: its connections end in the middle.
pub(crate) struct Upstream(JoinHandle<()>);

impl Upstream {
    pub(crate) async fn start(address: SocketAddr) -> Self {
        let socket = TcpListener::bind(address).await.unwrap();
        Self(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let Ok((stream, _)) = socket.accept().await else { continue };
                _ = stream.set_nodelay(true);
                while connections.try_join_next().is_some() {}
                connections
                    .spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
            }
        }))
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let caller = request.headers().get("x-auth-subject").map_or(&b"nobody"[..], |value| value.as_bytes());
    let mut told = caller.to_vec();
    if request.method() == Method::POST {
        tokio::time::sleep(WORK).await;
        told.extend_from_slice(&request.into_body().collect().await?.to_bytes());
    }
    Ok(Response::new(Full::new(told.into())))
}
