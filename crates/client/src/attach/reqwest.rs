//! A middleware for the crate `reqwest-middleware`.

use super::TokenAttacher;
use crate::source::TokenSource;
use http::Extensions;
use portcullis_core::ConfigError;
use reqwest_middleware::reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next};

/// Puts a source's tokens into the requests of a client of `reqwest-middleware`.
///
/// After a 401 a request is sent once more with a new token, unless its body streams: then the 401
/// goes to the caller, and the next request has a new token. Redirects that reqwest follows by
/// itself to another host lose the token there.
#[derive(Clone, Debug)]
pub struct TokenMiddleware(TokenAttacher);

impl TokenMiddleware {
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
        let Some(url) = self.0.target(request.url().as_str(), request.headers()) else {
            return next.run(request, extensions).await;
        };
        let (again, method) = (request.try_clone(), request.method().clone());
        let token = self
            .0
            .sign(&method, &url, request.headers_mut())
            .await
            .map_err(Error::middleware)?;
        let response = next.clone().run(request, extensions).await?;
        let may = self
            .0
            .again(&url, &token, response.status(), response.headers());
        let Some(mut request) = again.filter(|_| may) else {
            return Ok(response);
        };
        drop(response);
        self.0
            .sign(&method, &url, request.headers_mut())
            .await
            .map_err(Error::middleware)?;
        next.run(request, extensions).await
    }
}
