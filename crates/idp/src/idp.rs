//! The running provider: started, rotated, made to fail, stopped.

use crate::config::{IdpConfig, TokenFormat};
use crate::dialect::{Dialect, Kind};
use crate::endpoint;
use crate::endpoint::logout::LogoutNotice;
use crate::faults::{Endpoint, Fault};
use crate::flaw::Flaw;
use crate::keys::{Keys, Overlap};
use crate::listen::{Connections, Peer};
use crate::mint::TokenBuilder;
use crate::state::{State, system_time, tenant_of};
use axum::Router;
use portcullis_core::token::Issuer;
use portcullis_core::{ConfigError, ConfigErrors};
use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A development identity provider, listening. It stops when it is dropped.
///
/// It is for development and for tests: its passwords are known, its keys are new at every start, and it
/// listens on loopback only unless its configuration says otherwise.
pub struct Idp {
    state: Arc<State>,
    audience: String,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Idp {
    /// Starts a provider and returns when it listens.
    ///
    /// # Errors
    ///
    /// Every fault in the configuration, or an address that cannot be listened on.
    pub async fn start(config: IdpConfig) -> Result<Self, ConfigErrors> {
        Self::start_at(config, system_time).await
    }

    /// Starts a provider with another clock, which tells the seconds since 1970.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub async fn start_at(
        config: IdpConfig,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Result<Self, ConfigErrors> {
        let algorithm = config.check()?;
        let shape = config.dialect.shape();
        let listener = bind(&config).await?;
        let address = listener.local_addr().map_err(|error| unusable(config.listen, &error))?;
        let path = shape.issuer_path(&tenant_of(&config));
        let issuer = config.issuer.clone().unwrap_or_else(|| format!("http://{address}{path}"));
        let issuer = Issuer::parse(issuer).map_err(|error| {
            ConfigError::new(
                "issuer",
                error.to_string(),
                "write `issuer`, as clients will reach this provider",
            )
        })?;
        tracing::warn!(%issuer, "DEVELOPMENT identity provider: known passwords, never for production");
        warn_of_dangers(&config);
        let keys = Keys::new(algorithm, shape).await;
        let state = Arc::new(State::new(issuer, config, keys, Box::new(clock)));
        let (stop, stopped) = oneshot::channel::<()>();
        let service = endpoint::router(&state).into_make_service_with_connect_info::<Peer>();
        let serve = axum::serve(Connections::new(listener), service);
        let serving = tokio::spawn(async move {
            // An accept error ends the server; who needs it will see that nobody answers.
            _ = serve.with_graceful_shutdown(async { _ = stopped.await }).await;
        });
        let audience = state.audience_for(endpoint::USERS_CLIENT);
        Ok(Self { state, audience, address, stop: Some(stop), serving: Some(serving) })
    }

    /// The issuer identifier.
    pub fn issuer(&self) -> &Issuer {
        &self.state.issuer
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the keys are.
    pub fn jwks_uri(&self) -> String {
        self.state.published.first().map(|first| self.state.url(&first.keys)).unwrap_or_default()
    }

    /// Where the metadata is; none where the imitated provider has none (Cloudflare).
    pub fn metadata_uri(&self) -> Option<String> {
        let path = self.state.published.first().and_then(|first| first.metadata.first());
        path.map(|path| self.state.url(path))
    }

    /// The key set as it is published now.
    pub fn jwks(&self) -> String {
        let set = self.state.published.first().map(|first| self.state.jwks_in(first));
        serde_json::Value::from(set.unwrap_or_default()).to_string()
    }

    /// Where clients get tokens.
    pub fn token_endpoint(&self) -> String {
        self.state.endpoint(self.state.endpoints.token.as_ref(), "/token")
    }

    /// Where resource servers ask about tokens. Providers that have no introspection do not name it in their
    /// metadata; here it works all the same.
    pub fn introspection_endpoint(&self) -> String {
        self.state.endpoint(self.state.endpoints.introspect.as_ref(), "/introspect")
    }

    /// The imitation of Microsoft Graph, which tells a user's groups (Entra ID only): this stands for
    /// `https://graph.microsoft.com`, also where a client asks for a token for it.
    pub fn graph(&self) -> String {
        self.state.url("/graph")
    }

    /// Everything of this provider begins with this: the issuer without the path of the imitated provider's.
    pub fn base(&self) -> &str {
        &self.state.base
    }

    /// The provider that is imitated.
    pub fn dialect(&self) -> Dialect {
        self.state.config.dialect
    }

    /// What access tokens look like as the provider hands them out.
    pub fn access_token_format(&self) -> TokenFormat {
        self.state.format()
    }

    /// The audience of a user's tokens when none is asked for.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Every audience that tokens have when none is asked for. It is one, but where the imitated provider names
    /// the client in its place there are as many as clients.
    pub fn audiences(&self) -> Vec<String> {
        let mut audiences = vec![self.audience.clone()];
        for client in &self.state.config.clients {
            let audience = self.state.audience_for(&client.id);
            if !audiences.contains(&audience) {
                audiences.push(audience);
            }
        }
        audiences
    }

    /// A token for the user or the client of this name, straight away, without any flow. Good for an hour.
    ///
    /// A name that is not configured gives a token for a user of that name, without roles. A user's token is for
    /// the client `web`.
    pub fn token(&self, name: &str) -> TokenBuilder {
        endpoint::token_for(&self.state, name)
    }

    /// Lets a device in (RFC 8628) for the user of that name, by the code that it shows, as the page `/device` does.
    /// Tells whether a device waits for that code and the user is known.
    pub fn allow_device(&self, user_code: &str, username: &str) -> bool {
        endpoint::device::allow(&self.state, user_code, username)
    }

    /// Refuses a device. Tells whether one waits for that code.
    pub fn deny_device(&self, user_code: &str) -> bool {
        endpoint::device::deny(&self.state, user_code)
    }

    /// Signs a user out of every session: what came of them ends, and each client that wants to be told is told
    /// (OpenID Connect Back-Channel Logout 1.0). Answers when they all are.
    pub async fn logout(&self, username: &str) -> Vec<LogoutNotice> {
        endpoint::logout::end_all(&self.state, username).await
    }

    /// Takes a new signing key into use.
    pub async fn rotate(&self, overlap: Overlap) {
        self.state.keys.rotate(overlap).await;
    }

    /// Makes an endpoint fail, or work again.
    pub fn fail(&self, endpoint: Endpoint, fault: Fault) {
        self.state.switches.set(endpoint, fault);
    }

    /// Makes every endpoint fail, or work again.
    pub fn fail_everything(&self, fault: Fault) {
        for endpoint in Endpoint::ALL {
            self.fail(endpoint, fault);
        }
    }

    /// Makes the token endpoint fail, or work again.
    pub fn fail_token(&self, fault: Fault) {
        self.fail(Endpoint::Token, fault);
    }

    /// Makes the authorization endpoint fail, or work again.
    pub fn fail_authorize(&self, fault: Fault) {
        self.fail(Endpoint::Authorize, fault);
    }

    /// Makes UserInfo fail, or work again.
    pub fn fail_userinfo(&self, fault: Fault) {
        self.fail(Endpoint::UserInfo, fault);
    }

    /// Spoils the access tokens that flows give from now on; without flaws, they are good again. Those of
    /// [`token`](Self::token) stay as they are made.
    pub fn spoil_access_tokens(&self, flaws: impl IntoIterator<Item = Flaw>) {
        self.state.flaws.set(Kind::Access, flaws.into_iter().collect());
    }

    /// Spoils the next access token that a flow gives, and no other.
    pub fn spoil_next_access_token(&self, flaws: impl IntoIterator<Item = Flaw>) {
        self.state.flaws.set_next(Kind::Access, flaws.into_iter().collect());
    }

    /// Spoils the ID tokens that flows give from now on; without flaws, they are good again.
    pub fn spoil_id_tokens(&self, flaws: impl IntoIterator<Item = Flaw>) {
        self.state.flaws.set(Kind::Id, flaws.into_iter().collect());
    }

    /// Spoils the next ID token that a flow gives, and no other.
    pub fn spoil_next_id_token(&self, flaws: impl IntoIterator<Item = Flaw>) {
        self.state.flaws.set_next(Kind::Id, flaws.into_iter().collect());
    }

    /// Sets the clock wrong by so many seconds, later or (negative) earlier, for tokens and for the header `Date`; 0
    /// puts it right.
    pub fn set_clock_off(&self, seconds: i64) {
        self.state.clock_off.store(seconds, Ordering::SeqCst);
    }

    /// Everything works again: endpoints, tokens, the clock.
    pub fn clear_faults(&self) {
        self.state.clear_faults();
    }

    /// Makes the key set fail, or work again.
    pub fn fail_jwks(&self, fault: Fault) {
        self.fail(Endpoint::Jwks, fault);
    }

    /// Makes the metadata fail, or work again.
    pub fn fail_metadata(&self, fault: Fault) {
        self.fail(Endpoint::Metadata, fault);
    }

    /// Makes the introspection endpoint fail, or work again.
    pub fn fail_introspection(&self, fault: Fault) {
        self.fail(Endpoint::Introspection, fault);
    }

    /// Makes the imitation of Microsoft Graph fail, or work again.
    pub fn fail_graph(&self, fault: Fault) {
        self.fail(Endpoint::Graph, fault);
    }

    /// How often an endpoint was asked, faults counted.
    pub fn requests(&self, endpoint: Endpoint) -> u64 {
        self.state.switches.requests(endpoint)
    }

    /// How often the key set was asked for.
    pub fn jwks_fetches(&self) -> u64 {
        self.requests(Endpoint::Jwks)
    }

    /// How often the metadata was asked for.
    pub fn metadata_fetches(&self) -> u64 {
        self.requests(Endpoint::Metadata)
    }

    /// How often a token was asked about.
    pub fn introspection_requests(&self) -> u64 {
        self.requests(Endpoint::Introspection)
    }

    /// How often the imitation of Microsoft Graph was asked, each page counted.
    pub fn graph_requests(&self) -> u64 {
        self.requests(Endpoint::Graph)
    }

    /// Stops, and returns when the requests under way have been answered.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            _ = serving.await;
        }
    }

    /// The endpoints as a router, for a server of one's own.
    pub fn router(&self) -> Router {
        endpoint::router(&self.state)
    }
}

/// Requests under way are cut off: a test that ends does not wait for them.
impl Drop for Idp {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

impl fmt::Debug for Idp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the development identity provider {}", self.state.issuer)
    }
}

fn warn_of_dangers(config: &IdpConfig) {
    if config.danger_listen_anywhere {
        tracing::warn!("danger_listen_anywhere: whoever reaches this provider can sign in as anybody");
    }
    if config.danger_any_client {
        tracing::warn!("danger_any_client: clients that are not configured are believed everything");
    }
    for client in config.clients.iter().filter(|client| client.danger_unchecked) {
        tracing::warn!(client = client.id, "danger_unchecked: this client is believed everything");
    }
}

async fn bind(config: &IdpConfig) -> Result<TcpListener, ConfigErrors> {
    match TcpListener::bind(config.listen).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse && config.free_port_if_taken => {
            let any_port = SocketAddr::new(config.listen.ip(), 0);
            TcpListener::bind(any_port).await.map_err(|error| unusable(any_port, &error))
        }
        other => other.map_err(|error| unusable(config.listen, &error)),
    }
}

fn unusable(address: SocketAddr, error: &std::io::Error) -> ConfigErrors {
    let cure = "choose another port, or 0 for any free one";
    ConfigError::new("listen", format!("{address} cannot be listened on: {error}"), cure).into()
}
