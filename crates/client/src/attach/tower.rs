//! A tower layer for clients.

use super::TokenAttacher;
use crate::error::Error;
use crate::source::TokenSource;
use http::{Request, Response};
use portcullis_core::ConfigError;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Puts a source's tokens into the requests of an HTTP client that is a tower service.
///
/// A request has to name its whole address, as those of a client do. After a 401 it is sent once
/// more with a new token, if its body can be had again: see [`replaying`](Self::replaying).
/// Otherwise the 401 goes to the caller, and the next request has a new token.
#[derive(Clone, Debug)]
pub struct TokenLayer<B> {
    attach: TokenAttacher,
    replay: fn(&B) -> Option<B>,
}

impl<B> TokenLayer<B> {
    /// Tokens for requests to these origins, such as `https://api.example`. Requests to others go
    /// as they are.
    ///
    /// # Errors
    ///
    /// A text that is no origin, one with another scheme than https (http on loopback), and none at
    /// all.
    pub fn new<'o>(
        source: TokenSource,
        origins: impl IntoIterator<Item = &'o str>,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            attach: TokenAttacher::new(source, origins)?,
            replay: |_| None,
        })
    }

    /// Sends requests once more whose body can be had again: as `Some` here. A body of fixed bytes
    /// is cloned; one that streams cannot be.
    #[must_use]
    pub fn replaying_with(mut self, replay: fn(&B) -> Option<B>) -> Self {
        self.replay = replay;
        self
    }

    /// Sends requests once more by a clone of their body, such as `String`, `Bytes` or
    /// `http_body_util::Full`.
    #[must_use]
    pub fn replaying(self) -> Self
    where
        B: Clone,
    {
        self.replaying_with(|body| Some(body.clone()))
    }
}

impl<S, B> Layer<S> for TokenLayer<B> {
    type Service = TokenService<S, B>;

    fn layer(&self, inner: S) -> TokenService<S, B> {
        TokenService {
            inner,
            layer: Arc::new(Self {
                attach: self.attach.clone(),
                replay: self.replay,
            }),
        }
    }
}

/// The service that [`TokenLayer`] makes.
#[derive(Debug)]
pub struct TokenService<S, B> {
    inner: S,
    layer: Arc<TokenLayer<B>>,
}

impl<S: Clone, B> Clone for TokenService<S, B> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: Arc::clone(&self.layer),
        }
    }
}

/// An [`Error`] of ours, or the client's.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, B, R> Service<Request<B>> for TokenService<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Send + 'static,
    R: Send,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that said it is ready is the one to call; its clone may not be.
        let next = self.inner.clone();
        let ready = mem::replace(&mut self.inner, next);
        let layer = Arc::clone(&self.layer);
        Box::pin(async move { layer.send(ready, request).await })
    }
}

impl<B> TokenLayer<B> {
    async fn send<S, R>(&self, mut client: S, request: Request<B>) -> Result<Response<R>, BoxError>
    where
        S: Service<Request<B>, Response = Response<R>>,
        S::Error: Into<BoxError>,
    {
        let Some(url) = self
            .attach
            .target(&request.uri().to_string(), request.headers())
        else {
            return client.call(request).await.map_err(Into::into);
        };
        let (mut request, again) = self.twice(request);
        let (method, headers) = (request.method().clone(), request.headers_mut());
        let token = self
            .attach
            .sign(&method, &url, headers)
            .await
            .map_err(boxed)?;
        let response = client.call(request).await.map_err(Into::into)?;
        let may = self
            .attach
            .again(&url, &token, response.status(), response.headers());
        let Some(mut request) = again.filter(|_| may) else {
            return Ok(response);
        };
        drop(response);
        self.attach
            .sign(&method, &url, request.headers_mut())
            .await
            .map_err(boxed)?;
        poll_fn(|context| client.poll_ready(context))
            .await
            .map_err(Into::into)?;
        client.call(request).await.map_err(Into::into)
    }

    /// The request, and the same once more where its body can be had again.
    fn twice(&self, request: Request<B>) -> (Request<B>, Option<Request<B>>) {
        let again = (self.replay)(request.body()).map(|body| {
            let mut again = Request::new(body);
            again.method_mut().clone_from(request.method());
            again.uri_mut().clone_from(request.uri());
            *again.version_mut() = request.version();
            again.headers_mut().clone_from(request.headers());
            again.extensions_mut().clone_from(request.extensions());
            again
        });
        (request, again)
    }
}

fn boxed(error: Error) -> BoxError {
    Box::new(error)
}
