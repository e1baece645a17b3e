//! The metadata of resources (RFC 9728) as routes of axum.

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http::header::HOST;
use http::uri::Authority;
use http::{Request, Response};
use portcullis_resource_server::{ResourceDocuments, ResourceServer, ResourceTraits, WELL_KNOWN};
use std::sync::Arc;

/// The documents by which the `[[resource]]` tables of a server describe themselves, so that
/// clients find its issuers and scopes without being told. Refusals name them in
/// `resource_metadata`.
///
/// They are for everybody: merge the router outside of every layer that protects the rest, and not
/// below a path. What they say comes from the settings, never from a request.
///
/// ```
/// use axum::{Router, routing::get};
/// use portcullis::{Config, ProtectLayer, ResourceMetadata, ResourceServer, Settings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::from_toml(
///     r#"
///     [[issuer]]
///     url      = "https://idp.example"
///     audience = "https://api.example/orders"
///
///     [[resource]]
///     url    = "https://api.example/orders"
///     scopes = ["orders:read"]
///     "#,
/// )?;
/// let server = ResourceServer::with_settings(Settings::try_from(config)?);
/// let app: Router = Router::new()
///     .route("/orders", get(|| async { "all orders" }))
///     .layer(ProtectLayer::new(server.clone()))
///     .merge(ResourceMetadata::of(&server).into_router());
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ResourceMetadata(Arc<ResourceDocuments>);

impl ResourceMetadata {
    /// The documents of the resources of a server. Proofs of DPoP are offered where the settings
    /// name the `public_origin`, as none can be checked without it.
    pub fn of(server: &ResourceServer) -> Self {
        let traits = |_: &_| ResourceTraits::default();
        Self(Arc::new(ResourceDocuments::new(server.resources(), traits)))
    }

    /// The routes of the documents. Without any resource, they answer 404.
    pub fn into_router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let answer = any(move |request: Request<Body>| {
            let response = self.answer(&request);
            async move { response }
        });
        // A path with a slash at its end is another route for axum, and the same resource.
        Router::new()
            .route(WELL_KNOWN, answer.clone())
            .route(&format!("{WELL_KNOWN}/"), answer.clone())
            .route(&format!("{WELL_KNOWN}/{{*path}}"), answer)
    }

    fn answer(&self, request: &Request<Body>) -> Response<Body> {
        let named = request.headers().get(HOST);
        let named = named.and_then(|host| host.to_str().ok());
        let authority = named.or_else(|| request.uri().authority().map(Authority::as_str));
        let path = request.uri().path();
        match self.0.answer(request.method(), authority, path) {
            Some(response) => response.map(Body::from),
            None => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = http::StatusCode::NOT_FOUND;
                response
            }
        }
    }
}
