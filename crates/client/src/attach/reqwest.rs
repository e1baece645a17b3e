//! A middleware for the crate `reqwest-middleware`.

use super::TokenAttacher;
use crate::source::TokenSource;
use http::Extensions;
use portcullis_core::ConfigError;
use reqwest_middleware::reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next};

/// Puts a source's tokens into the requests of a client of `reqwest-middleware`.
///
/// After a 401, the request is repeated once with a new token. A streaming body cannot be repeated:
/// the caller then gets the 401, and the next request has a new token. If reqwest follows a
/// redirect to another host, it drops the token.
///
/// ```no_run
/// use portcullis_client::{TokenMiddleware, TokenSource};
/// use reqwest_middleware::{ClientBuilder, reqwest};
///
/// # async fn example(source: TokenSource) -> Result<(), Box<dyn std::error::Error>> {
/// let middleware = TokenMiddleware::new(source, ["https://api.example"])?;
/// let http = ClientBuilder::new(reqwest::Client::new())
///     .with(middleware)
///     .build();
/// let orders = http.get("https://api.example/orders").send().await?;
/// # let _ = orders;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TokenMiddleware(TokenAttacher);

impl TokenMiddleware {
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
        TokenAttacher::new(source, origins).map(Self)
    }
}

#[async_trait::async_trait]
impl Middleware for TokenMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response, Error> {
        let Some(url) = self
            .0
            .target(request.url().as_str(), request.headers())
        else {
            return next.run(request, extensions).await;
        };
        // Copied before the first attempt, which consumes the body.
        let (repetition, method) = (request.try_clone(), request.method().clone());
        let token = self
            .0
            .sign(&method, &url, request.headers_mut())
            .await
            .map_err(Error::middleware)?;
        let response = next.clone().run(request, extensions).await?;
        let (status, headers) = (response.status(), response.headers());
        let (true, Some(mut request)) = (
            self.0.should_repeat(&url, &token, status, headers),
            repetition,
        ) else {
            return Ok(response);
        };
        // Frees the connection before the second attempt needs one.
        drop(response);
        self.0
            .sign(&method, &url, request.headers_mut())
            .await
            .map_err(Error::middleware)?;
        next.run(request, extensions).await
    }
}
