//! A tower layer for HTTP clients.

use super::TokenAttacher;
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
/// A request needs an absolute address. After a 401 it is repeated once with a new token, if its
/// body can be copied: see [`replaying`](Self::replaying). Otherwise the caller gets the 401, and
/// the next request has a new token.
///
/// ```no_run
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// use portcullis_client::{TokenLayer, TokenSource};
/// use tower::{Layer as _, ServiceExt as _};
///
/// # type Failure = Box<dyn std::error::Error + Send + Sync>;
/// # async fn example(source: TokenSource) -> Result<(), Failure> {
/// let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
/// let http = TokenLayer::new(source, ["https://api.example"])?
///     .replaying()
///     .layer(http);
/// let request = http::Request::get("https://api.example/orders").body(Full::default())?;
/// let response = http.oneshot(request).await?;
/// # let _ = response;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TokenLayer<B> {
    attach: TokenAttacher,
    replay: fn(&B) -> Option<B>,
}

impl<B> TokenLayer<B> {
    /// Tokens for requests to these origins, such as `https://api.example`. Requests to others stay
    /// as they are.
    ///
    /// # Errors
    ///
    /// A text that is not an origin, an origin with another scheme than https (http on loopback),
    /// or an empty list.
    pub fn new<'o>(
        source: TokenSource,
        origins: impl IntoIterator<Item = &'o str>,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            attach: TokenAttacher::new(source, origins)?,
            replay: |_| None,
        })
    }

    /// Repeats a request if this function returns a copy of its body. A body of fixed bytes can be
    /// copied; a stream cannot.
    #[must_use]
    pub fn replaying_with(mut self, replay: fn(&B) -> Option<B>) -> Self {
        self.replay = replay;
        self
    }

    /// Repeats requests with a clone of their body, such as `String`, `Bytes` or
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

/// The service of [`TokenLayer`].
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

/// This crate's [`Error`](crate::Error), or the inner client's.
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
        // `poll_ready` made this instance ready, and not its clone: so this one is called.
        let next = self.inner.clone();
        let ready = mem::replace(&mut self.inner, next);
        let layer = Arc::clone(&self.layer);
        Box::pin(async move { layer.send(ready, request).await })
    }
}

impl<B> TokenLayer<B> {
    async fn send<S, R>(
        &self,
        mut client: S,
        mut request: Request<B>,
    ) -> Result<Response<R>, BoxError>
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
        // Copied before the first attempt, which consumes the body.
        let repetition = self.copy(&request);
        let (method, headers) = (request.method().clone(), request.headers_mut());
        let token = self.attach.sign(&method, &url, headers).await?;
        let response = client.call(request).await.map_err(Into::into)?;
        let (status, headers) = (response.status(), response.headers());
        let (true, Some(mut request)) = (
            self.attach
                .should_repeat(&url, &token, status, headers),
            repetition,
        ) else {
            return Ok(response);
        };
        // Frees the connection before the second attempt needs one.
        drop(response);
        let headers = request.headers_mut();
        self.attach.sign(&method, &url, headers).await?;
        // A service needs `poll_ready` before each call, also before the second.
        poll_fn(|context| client.poll_ready(context))
            .await
            .map_err(Into::into)?;
        client.call(request).await.map_err(Into::into)
    }

    /// A copy of the request, if its body can be copied. `http::Request` has no `Clone` for such
    /// bodies.
    fn copy(&self, request: &Request<B>) -> Option<Request<B>> {
        let mut copy = Request::new((self.replay)(request.body())?);
        copy.method_mut().clone_from(request.method());
        copy.uri_mut().clone_from(request.uri());
        *copy.version_mut() = request.version();
        copy.headers_mut().clone_from(request.headers());
        copy.extensions_mut().clone_from(request.extensions());
        Some(copy)
    }
}
