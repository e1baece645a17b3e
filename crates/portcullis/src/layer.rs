//! A tower layer that protects a whole service.

use crate::DenialResponse;
use crate::decide;
use bytes::Bytes;
use http::{Request, Response};
use portcullis_core::Requirement;
use portcullis_resource_server::ResourceServer;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{mem, pin::Pin};
use tower_layer::Layer;
use tower_service::Service;

/// A layer that passes only requests with a valid token that meets a requirement.
///
/// The response body of the service must be made from [`Bytes`], as axum's and
/// `http_body_util::Full` are. The verified [`AccessToken`](crate::AccessToken) goes along in the
/// request's extensions. If an outer layer of the same server ran before, the token is taken from
/// there and only the requirement is checked.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use portcullis::{ProtectLayer, Requirement, ResourceServer};
/// use std::convert::Infallible;
/// use tower::{Layer as _, ServiceExt as _, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = ResourceServer::new("https://idp.example", "https://api.example")?;
/// let admins_only = ProtectLayer::new(server).require(Requirement::role("Admin"));
/// let service = admins_only.layer(service_fn(async |_: Request<()>| {
///     Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("welcome, admin"))))
/// }));
///
/// let response = service.oneshot(Request::new(())).await?;
/// assert_eq!(response.status(), 401);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ProtectLayer {
    server: ResourceServer,
    requirement: Arc<Requirement>,
}

impl ProtectLayer {
    /// Demands a valid token.
    pub fn new(server: ResourceServer) -> Self {
        Self {
            server,
            requirement: Arc::new(Requirement::ValidToken),
        }
    }

    /// Demands that the token meets this requirement as well.
    #[must_use]
    pub fn require(mut self, requirement: Requirement) -> Self {
        // Calls add up: one that replaced the requirement before would open a door.
        self.requirement = Arc::new(match &*self.requirement {
            Requirement::ValidToken => requirement,
            before => Requirement::all([before.clone(), requirement]),
        });
        self
    }

    /// What it demands.
    #[cfg(feature = "openapi")]
    pub(crate) fn shared_requirement(&self) -> Arc<Requirement> {
        Arc::clone(&self.requirement)
    }
}

impl<S> Layer<S> for ProtectLayer {
    type Service = Protect<S>;

    fn layer(&self, inner: S) -> Protect<S> {
        Protect {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`ProtectLayer`] makes.
#[derive(Clone, Debug)]
pub struct Protect<S> {
    inner: S,
    layer: ProtectLayer,
}

impl<S, B, R> Service<Request<B>> for Protect<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        // tower asks before it hands over the request, so even a refused one waits for the service.
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was polled ready must be the one that is called; its clone waits for the
        // next turn.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let ProtectLayer {
            server,
            requirement,
        } = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let proves = parts.headers.contains_key("dpop");
            match decide::decide(&mut parts, &server, &requirement).await {
                Ok(_) => {
                    let mut response = inner.call(Request::from_parts(parts, body)).await?;
                    // For the next proof: without it, each end of a nonce is a refusal (RFC 9449,
                    // section 8.2).
                    if proves {
                        server.add_dpop_nonce(response.headers_mut());
                    }
                    Ok(response)
                }
                Err(denial) => {
                    // A refusal is a response and no error: the layers around treat it like any
                    // other answer.
                    Ok(DenialResponse::new(denial, &server, &parts.headers).into_response())
                }
            }
        })
    }
}
