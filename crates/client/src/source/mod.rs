//! Tokens for a service: fetched once for all callers, cached, and renewed before they expire.
//!
//! A caller waits only if there is no usable token. In the last part of a token's life, the first
//! caller starts a renewal in the background and gets the current token. Without callers nothing
//! runs. A failed renewal changes nothing until the token expires, and requests to the provider are
//! rate-limited.

mod slot;

use crate::client::Client;
use crate::error::Error;
use crate::request::TokenRequest;
use crate::token::IssuedToken;
use quick_cache::sync::Cache;
use slot::TokenSlot;
use std::fmt;
use std::sync::Arc;

/// Tokens for the requests of a service. Clones share the tokens.
///
/// ```no_run
/// use portcullis_client::{Authentication, Client, Provider, Secret, TokenSource};
///
/// # async fn example(secret: Secret) -> Result<(), portcullis_client::Error> {
/// // `build` fetches nothing, so the service starts even while the provider is down.
/// let provider = Provider::builder("https://idp.example")?.build();
/// let client = Client::new(provider, "orders-service", Authentication::secret_basic(secret));
/// let source = TokenSource::client_credentials(client)
///     .scope("orders:read")
///     .build();
/// let token = source.token().await?;
/// # let _ = token;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenSource(Arc<SourceState>);

struct SourceState {
    client: Client,
    request: TokenRequest,
    slots: Cache<TokenRequest, Arc<TokenSlot>>,
}

impl TokenSource {
    /// Tokens for this client itself, by client credentials (RFC 6749, section 4.4).
    pub fn client_credentials(client: Client) -> TokenSourceBuilder {
        TokenSourceBuilder {
            client,
            request: TokenRequest::new(),
            capacity: DEFAULT_CAPACITY,
        }
    }

    /// The token for the source's own request.
    ///
    /// # Errors
    ///
    /// There is no usable token, and the provider gives none: its refusal, a response that cannot
    /// be trusted, or an outage. For a short time afterwards, callers get the same error without a
    /// request.
    pub async fn token(&self) -> Result<IssuedToken, Error> {
        self.token_for(&self.0.request).await
    }

    /// The token for another request. The source caches as many tokens as its
    /// [capacity](TokenSourceBuilder::capacity).
    ///
    /// # Errors
    ///
    /// As for [`token`](Self::token).
    pub async fn token_for(&self, request: &TokenRequest) -> Result<IssuedToken, Error> {
        self.slot(request)?
            .token(&self.0.client, request)
            .await
    }

    /// Drops a token that a resource server rejected, unless there is a newer one already. The next
    /// caller then fetches a new one. Returns whether another token can be had.
    pub fn invalidate(&self, token: &IssuedToken) -> bool {
        self.invalidate_for(&self.0.request, token)
    }

    /// The same for a token of another request.
    pub fn invalidate_for(&self, request: &TokenRequest, token: &IssuedToken) -> bool {
        let now = self.0.client.provider().clock().elapsed();
        match self.0.slots.get(request) {
            Some(slot) => slot.invalidate(token, now),
            None => false,
        }
    }

    /// The client that the tokens are for.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    fn slot(&self, request: &TokenRequest) -> Result<Arc<TokenSlot>, Error> {
        // Under the cache's lock: two first callers must get the same slot, or both would fetch.
        let new = || Ok::<_, Error>(Arc::new(TokenSlot::default()));
        self.0.slots.get_or_insert_with(request, new)
    }
}

/// Shows the client.
impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tokens for {:?}", self.0.client)
    }
}

/// In tokens.
const DEFAULT_CAPACITY: usize = 1_000;

/// The settings of a source.
#[derive(Debug)]
#[must_use]
pub struct TokenSourceBuilder {
    client: Client,
    request: TokenRequest,
    capacity: usize,
}

impl TokenSourceBuilder {
    /// With these scopes, separated by spaces.
    pub fn scope(mut self, scope: &str) -> Self {
        self.request = self.request.scope(scope);
        self
    }

    /// For one more API, by its address (RFC 8707).
    pub fn resource(mut self, resource: &str) -> Self {
        self.request = self.request.resource(resource);
        self
    }

    /// For one more API, by its name at the provider.
    pub fn audience(mut self, audience: &str) -> Self {
        self.request = self.request.audience(audience);
        self
    }

    /// The number of tokens, each for a different request, that are cached. Default: 1,000.
    pub fn capacity(mut self, most: usize) -> Self {
        self.capacity = most;
        self
    }

    /// The source. Nothing is fetched yet.
    pub fn build(self) -> TokenSource {
        TokenSource(Arc::new(SourceState {
            client: self.client,
            request: self.request,
            slots: Cache::new(self.capacity.max(1)),
        }))
    }
}
