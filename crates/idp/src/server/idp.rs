//! The running provider: started, rotated, made to fail, stopped.

use crate::config::IdpConfig;
use crate::dialect::Dialect;
use crate::endpoint;
use crate::endpoint::authorize::device;
use crate::issue::builder::{TokenBuilder, token_for};
use crate::issue::event::{EventNotice, SecurityEvent};
use crate::issue::logout::LogoutNotice;
use crate::issue::{event, logout};
use crate::keys::authority::{Authority, ClientCertificate};
use crate::keys::{Keys, Overlap};
use crate::server::serve::{Bound, Servers};
use crate::state::{State, USERS_CLIENT, system_time, tenant_of};
use crate::token::kind::TokenFormat;
use axum::Router;
use portcullis_core::token::Issuer;
use portcullis_core::{ConfigError, ConfigErrors};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use url::Url;

/// A development identity provider, listening. It stops when it is dropped.
///
/// It is for development and for tests: its passwords are known, its keys are new at every start,
/// and it listens on loopback only unless its configuration says otherwise.
pub struct Idp {
    pub(crate) state: Arc<State>,
    audience: String,
    address: SocketAddr,
    servers: Servers,
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
        let bound = Bound::new(&config).await?;
        let issuer = issuer(&config, bound.address)?;
        let tls = config
            .tls
            .as_ref()
            .map(|tls| tls.ready(&hosts(&config, &issuer)))
            .transpose()?;
        tracing::warn!(%issuer, "DEVELOPMENT identity provider: known passwords, never for \
            production");
        warn_of_dangers(&config);
        let keys = Keys::new(algorithm, shape, config.key_file.as_deref()).await?;
        let mut state = State::new(issuer, config, keys, Box::new(clock));
        (state.tls, state.mtls_base) = (
            tls,
            bound
                .mutual_address()
                .and_then(|address| state.beside(address)),
        );
        let (state, address) = (Arc::new(state), bound.address);
        let servers = bound.serve(&endpoint::router(&state), state.tls.as_ref());
        let audience = state.audience_for(USERS_CLIENT);
        Ok(Self {
            state,
            audience,
            address,
            servers,
        })
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
        self.state
            .published
            .first()
            .map(|first| self.state.url(&first.keys))
            .unwrap_or_default()
    }

    /// Where the metadata is; none where the imitated provider has none (Cloudflare).
    pub fn metadata_uri(&self) -> Option<String> {
        let path = self
            .state
            .published
            .first()
            .and_then(|first| first.metadata.first());
        path.map(|path| self.state.url(path))
    }

    /// The key set as it is published now.
    pub fn jwks(&self) -> String {
        let set = self
            .state
            .published
            .first()
            .map(|first| self.state.jwks_in(first));
        serde_json::Value::from(set.unwrap_or_default()).to_string()
    }

    /// Where clients get tokens.
    pub fn token_endpoint(&self) -> String {
        self.state
            .endpoint(self.state.endpoints.token.as_ref(), "/token")
    }

    /// Where resource servers ask about tokens. Providers that have no introspection do not name it
    /// in their metadata; here it works all the same.
    pub fn introspection_endpoint(&self) -> String {
        self.state
            .endpoint(self.state.endpoints.introspect.as_ref(), "/introspect")
    }

    /// The imitation of Microsoft Graph, which tells a user's groups (Entra ID only): this stands
    /// for `https://graph.microsoft.com`, also where a client asks for a token for it.
    pub fn graph(&self) -> String {
        self.state.url("/graph")
    }

    /// Where clients that show a certificate reach it (RFC 8705, section 5), without the path of an
    /// endpoint; none without TLS.
    pub fn mtls_base(&self) -> Option<&str> {
        self.state.mtls_base.as_deref()
    }

    /// The certificate of the authority that was made at start, in PEM, for clients to trust.
    pub fn authority(&self) -> Option<String> {
        self.authority_made().map(Authority::pem)
    }

    /// A certificate for a client, by the authority that was made at start: its subject is
    /// `CN=<name>`. None where the settings name certificates of their own, or none at all.
    pub fn client_certificate(&self, name: &str) -> Option<ClientCertificate> {
        self.authority_made()
            .and_then(|authority| authority.for_client(name).ok())
    }

    fn authority_made(&self) -> Option<&Authority> {
        self.state
            .tls
            .as_ref()
            .and_then(|tls| tls.authority.as_ref())
    }

    /// Everything of this provider begins with this: the issuer without the path of the imitated
    /// provider's.
    pub fn base(&self) -> &str {
        &self.state.base
    }

    /// Its pages for whoever looks at it in a browser, unless the settings leave them out.
    pub fn console(&self) -> Option<String> {
        self.state
            .config
            .console
            .then(|| self.state.url("/console"))
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

    /// Every audience that tokens have when none is asked for. It is one, but where the imitated
    /// provider names the client in its place there are as many as clients.
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

    /// A token for the user or the client of this name, straight away, without any flow. Good for
    /// an hour.
    ///
    /// A name that is not configured gives a token for a user of that name, without roles. A user's
    /// token is for the client `web`.
    pub fn token(&self, name: &str) -> TokenBuilder {
        token_for(&self.state, name)
    }

    /// Lets a device in (RFC 8628) for the user of that name, by the code that it shows, as the
    /// page `/device` does. Tells whether a device waits for that code and the user is known.
    pub fn allow_device(&self, user_code: &str, username: &str) -> bool {
        device::allow(&self.state, user_code, username)
    }

    /// Refuses a device. Tells whether one waits for that code.
    pub fn deny_device(&self, user_code: &str) -> bool {
        device::deny(&self.state, user_code)
    }

    /// Signs a user out of every session: what came of them ends, and each client that wants to be
    /// told is told (OpenID Connect Back-Channel Logout 1.0). Answers when they all are.
    pub async fn logout(&self, username: &str) -> Vec<LogoutNotice> {
        logout::end_all(&self.state, username).await
    }

    /// Sends an event about a user into every stream that wants it (OpenID Shared Signals
    /// Framework). Answers when those that are pushed have arrived, or could not be, after four
    /// attempts within some seconds.
    pub async fn send_event(&self, username: &str, event: &SecurityEvent) -> Vec<EventNotice> {
        event::send(&self.state, username, None, event).await
    }

    /// Takes a new signing key into use.
    pub async fn rotate(&self, overlap: Overlap) {
        self.state.keys.rotate(overlap).await;
    }

    /// Stops, and returns when the requests under way have been answered.
    pub async fn shutdown(mut self) {
        self.servers.shutdown().await;
    }

    /// The endpoints as a router, for a server of one's own.
    pub fn router(&self) -> Router {
        endpoint::router(&self.state)
    }
}

impl fmt::Debug for Idp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the development identity provider {}", self.state.issuer)
    }
}

fn warn_of_dangers(config: &IdpConfig) {
    if config.danger_listen_anywhere {
        tracing::warn!(
            "danger_listen_anywhere: whoever reaches this provider can sign in as anybody"
        );
    }
    if config.danger_any_client {
        tracing::warn!(
            "danger_any_client: clients that are not configured are believed everything"
        );
    }
    for client in config
        .clients
        .iter()
        .filter(|client| client.danger_unchecked)
    {
        tracing::warn!(
            client = client.id,
            "danger_unchecked: this client is believed everything"
        );
    }
}

/// The configured issuer, or the address it listens on with the path that the imitated provider's
/// issuers have.
fn issuer(config: &IdpConfig, address: SocketAddr) -> Result<Issuer, ConfigErrors> {
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let path = config.dialect.shape().issuer_path(&tenant_of(config));
    let issuer = config
        .issuer
        .clone()
        .unwrap_or_else(|| format!("{scheme}://{address}{path}"));
    Issuer::parse(issuer).map_err(|error| {
        let cure = "write `issuer`, as clients will reach this provider";
        ConfigError::wrong("issuer", error.to_string())
            .help(cure)
            .into()
    })
}

/// The names by which it is reached, besides loopback.
fn hosts(config: &IdpConfig, issuer: &Issuer) -> Vec<String> {
    let issuers = Url::parse(issuer.as_str()).ok();
    let host = issuers
        .as_ref()
        .and_then(Url::host_str)
        .map(|host| host.trim_matches(['[', ']']).to_owned());
    let ip = Some(config.listen.ip())
        .filter(|ip| !ip.is_unspecified())
        .map(|ip| ip.to_string());
    host.into_iter().chain(ip).collect()
}
