//! `ProtectLayer` around services that are not axum's.

use crate::world;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use portcullis::{AccessToken, ProtectLayer, Requirement};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tower::{Layer as _, Service, ServiceExt as _};

/// A service that insists on having been ready before it is called, as tower's contract says.
#[derive(Default)]
struct Strict {
    ready: AtomicBool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Strict {
    /// A clone is not ready, whatever its original is.
    fn clone(&self) -> Self {
        Self {
            ready: AtomicBool::new(false),
            calls: Arc::clone(&self.calls),
        }
    }
}

impl Service<Request<String>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready.store(true, Ordering::SeqCst);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        assert!(
            self.ready.swap(false, Ordering::SeqCst),
            "called without being ready"
        );
        self.calls.fetch_add(1, Ordering::SeqCst);
        let name = request
            .extensions()
            .get::<AccessToken>()
            .unwrap()
            .name()
            .to_owned();
        std::future::ready(Ok(Response::new(Full::from(format!(
            "{name}: {}",
            request.body()
        )))))
    }
}

fn request(token: &str) -> Request<String> {
    Request::get("/")
        .header("authorization", format!("Bearer {token}"))
        .body("hello".to_owned())
        .unwrap()
}

#[tokio::test]
async fn only_permitted_requests_reach_the_service() {
    let (idp, server) = world().await;
    let strict = Strict::default();
    let calls = Arc::clone(&strict.calls);
    let mut service = ProtectLayer::new(server)
        .require(Requirement::role("Admin"))
        .layer(strict);
    let response = service
        .ready()
        .await
        .unwrap()
        .call(request(&idp.token("alice").sign()))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes(),
        "Alice Adams: hello"
    );
    for (token, status) in [
        (idp.token("bob").sign(), 403),
        (idp.token("alice").expire().sign(), 401),
    ] {
        let response = service
            .ready()
            .await
            .unwrap()
            .call(request(&token))
            .await
            .unwrap();
        assert_eq!(response.status(), status);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn several_requirements_must_all_be_met() {
    let (idp, server) = world().await;
    let layer = ProtectLayer::new(server)
        .require(Requirement::role("Admin"))
        .require(Requirement::scope("a"));
    let status = async |token: String| {
        layer
            .layer(Strict::default())
            .oneshot(request(&token))
            .await
            .unwrap()
            .status()
    };
    assert_eq!(status(idp.token("alice").scope("a").sign()).await, 200);
    assert_eq!(status(idp.token("alice").sign()).await, 403);
    assert_eq!(status(idp.token("bob").scope("a").sign()).await, 403);
}

/// The outer layer has verified the token; the inner one has only to ask for its requirement, even
/// where the header is gone by then. Another server's word does not count.
#[tokio::test]
async fn layers_of_one_server_verify_once() {
    let (idp, server) = world().await;
    let audience = idp.audience();
    let another = portcullis::ResourceServer::new(idp.issuer().as_str(), audience).unwrap();
    for (inner, required, status) in [
        (&server, Requirement::ValidToken, 200),
        (&server, Requirement::role("Admin"), 403),
        (&another, Requirement::ValidToken, 401),
    ] {
        let inner = ProtectLayer::new(inner.clone())
            .require(required)
            .layer(Strict::default());
        let without_header = inner.map_request(|mut request: Request<String>| {
            request.headers_mut().remove("authorization");
            request
        });
        let service = ProtectLayer::new(server.clone()).layer(without_header);
        assert_eq!(
            service
                .oneshot(request(&idp.token("bob").sign()))
                .await
                .unwrap()
                .status(),
            status
        );
    }
}
