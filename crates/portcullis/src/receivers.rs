//! Receivers of logouts and security events as routes of axum.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path};
use axum::routing::any;
use http::{HeaderMap, Method, Response};
use portcullis_resource_server::{ReceiverRequest, ResourceServer};
use std::sync::Arc;

/// Where providers send logouts (OpenID Connect Back-Channel Logout 1.0) and security events
/// (Shared Signals Framework 1.0, pushed by RFC 8935) to: `/.portcullis/logout`, and
/// `/.portcullis/events/NAME` for each `[[events]]`.
///
/// What is received ends tokens here and at every replica that shares the store, before its sender
/// hears that it was taken. Senders show who they are by a signature, and have no access token:
/// merge the router outside of every layer that protects the rest. A body has at most 64 KB; how
/// long it may take is for the application's own timeouts.
///
/// ```
/// use axum::{Router, routing::get};
/// use portcullis::{Config, ProtectLayer, Receivers, ResourceServer, Settings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::from_toml(
///     r#"
///     [[issuer]]
///     url      = "https://idp.example"
///     audience = "https://api.example/orders"
///     [issuer.logout]
///     clients  = ["web"]
///     "#,
/// )?;
/// let server = ResourceServer::with_settings(Settings::try_from(config)?);
/// let app: Router = Router::new()
///     .route("/orders", get(|| async { "all orders" }))
///     .layer(ProtectLayer::new(server.clone()))
///     .merge(Receivers::of(&server).into_router());
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Receivers {
    server: ResourceServer,
    path: Arc<str>,
}

/// A token has at most 16 KB by default, and a form may write each of its bytes as three.
const MOST_BYTES: usize = 65_536;

impl Receivers {
    /// The receivers of a server.
    pub fn of(server: &ResourceServer) -> Self {
        Self {
            server: server.clone(),
            path: "/.portcullis".into(),
        }
    }

    /// The same below another path, such as `/identity`: it begins with a slash, and does not end
    /// with one.
    #[must_use]
    pub fn below(mut self, path: &str) -> Self {
        self.path = path.trim_end_matches('/').into();
        self
    }

    /// The routes. What the settings do not name answers 404.
    pub fn into_router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let (logout, events) = (
            format!("{}/logout", self.path),
            format!("{}/events/{{name}}", self.path),
        );
        let at_logout = self.clone();
        let take_logout = any(async move |method, headers, body| {
            at_logout
                .answer("/logout", method, headers, body)
                .await
        });
        let take_event = any(
            async move |Path(name): Path<String>, method, headers, body| {
                let path = format!("/events/{name}");
                self.answer(&path, method, headers, body).await
            },
        );
        Router::new()
            .route(&logout, take_logout)
            .route(&events, take_event)
            .layer(DefaultBodyLimit::max(MOST_BYTES))
    }

    async fn answer(
        &self,
        path: &str,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Response<Body> {
        let request = ReceiverRequest {
            path,
            method: &method,
            headers: &headers,
            body: &body,
        };
        let answer = self.server.answer_receiver(&request).await;
        answer.response.map(Body::from)
    }
}
