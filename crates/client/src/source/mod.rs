//! Tokens that are always there: fetched once for all callers, kept, and renewed before they end.
//!
//! A caller waits only where there is no good token; in the last fifth of a token's life the first
//! one who comes has it renewed in the background, and gets the one that is there. Nothing runs
//! while nobody asks. A renewal that fails changes nothing until the token ends; how often the
//! provider is asked again is bounded.

mod slot;

use crate::client::Client;
use crate::error::Error;
use crate::request::TokenRequest;
use crate::token::IssuedToken;
use quick_cache::sync::Cache;
use slot::TokenSlot;
use std::fmt;
use std::sync::Arc;

/// Tokens for the calls of a service. Clones share the tokens.
#[derive(Clone)]
pub struct TokenSource(Arc<SourceState>);

struct SourceState {
    client: Client,
    request: TokenRequest,
    entries: Cache<TokenRequest, Arc<TokenSlot>>,
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

    /// The token for the request that the source was made with.
    ///
    /// # Errors
    ///
    /// There is no good token, and the provider gives none: its refusal, an answer that cannot be
    /// trusted, or an outage. For a moment after that, the same is said without asking again.
    pub async fn token(&self) -> Result<IssuedToken, Error> {
        self.token_for(&self.0.request).await
    }

    /// The token for another request; as many are kept as the source was told to.
    ///
    /// # Errors
    ///
    /// As for [`token`](Self::token).
    pub async fn token_for(&self, request: &TokenRequest) -> Result<IssuedToken, Error> {
        self.entry(request)?.token(&self.0.client, request).await
    }

    /// A resource server did not take this token: unless there is a newer one, it is dropped, and
    /// the next caller has a new one fetched. Only so often: a resource server that takes no token
    /// at all does not make us flood the provider. Returns whether another token can be had.
    pub fn invalidate(&self, token: &IssuedToken) -> bool {
        self.invalidate_for(&self.0.request, token)
    }

    /// The same for a token of another request.
    pub fn invalidate_for(&self, request: &TokenRequest, token: &IssuedToken) -> bool {
        let now = self.0.client.provider().clock().elapsed();
        self.0
            .entries
            .get(request)
            .is_some_and(|entry| entry.drop_refused(token, now))
    }

    /// The client that the tokens are for.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    fn entry(&self, request: &TokenRequest) -> Result<Arc<TokenSlot>, Error> {
        let new = || Ok::<_, Error>(Arc::new(TokenSlot::default()));
        self.0.entries.get_or_insert_with(request, new)
    }
}

/// Shows the client.
impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tokens for {:?}", self.0.client)
    }
}

/// How many tokens are kept at once.
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

    /// How many tokens of different requests are kept at once. Default 1,000.
    pub fn capacity(mut self, most: usize) -> Self {
        self.capacity = most;
        self
    }

    /// The source. Nothing is fetched yet.
    pub fn build(self) -> TokenSource {
        let Self {
            client,
            request,
            capacity,
        } = self;
        TokenSource(Arc::new(SourceState {
            client,
            request,
            entries: Cache::new(capacity.max(1)),
        }))
    }
}
