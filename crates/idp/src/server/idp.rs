//! The running provider, as tests and commands see it.

use crate::config::IdpConfig;
use crate::config::user::User;
use crate::dialect::Dialect;
use crate::endpoint;
use crate::endpoint::authorize::device;
use crate::issue::builder::{TokenBuilder, token_for};
use crate::issue::event::EventBuilder;
use crate::issue::logout::LogoutNotice;
use crate::issue::logout_token::LogoutTokenBuilder;
use crate::issue::security_event::SecurityEvent;
use crate::issue::{logout, stream_event};
use crate::keys::authority::{Authority, ClientCertificate};
use crate::keys::{KeyRing, Overlap};
use crate::server::serve::{Listeners, Servers};
use crate::state::console_file::ConsoleChanges;
use crate::state::{IdpState, USERS_CLIENT, system_time, tenant_of};
use crate::store::notice::EventNotice;
use crate::store::stream::StreamStatus;
use crate::token::kind::TokenFormat;
use axum::Router;
use portcullis_core::token::Issuer;
use portcullis_core::{ConfigError, ConfigErrors};
use serde_json::Value;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use url::Url;

/// A development identity provider, listening. It stops when it is dropped.
///
/// It is for development and for tests: its passwords are known, its keys are new at every start,
/// and it listens on loopback only unless its configuration says otherwise.
pub struct Idp {
    pub(crate) state: Arc<IdpState>,
    audience: String,
    address: SocketAddr,
    taken_address: Option<SocketAddr>,
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
        // First of all: faulty settings must not bind an address or write a file.
        let algorithm = config.read_algorithm()?;
        let shape = config.dialect.shape();
        // Read before anything is bound or written: a broken file is a fault of the settings.
        let changes = match &config.console_file {
            Some(file) => ConsoleChanges::read(file)?,
            None => ConsoleChanges::default(),
        };
        // Bound first: the issuer may be the very address that the system chose.
        let listeners = Listeners::new(&config).await?;
        let issuer = issuer(&config, listeners.address)?;
        let tls = match &config.tls {
            Some(tls) => Some(tls.ready(&hosts(&config, &issuer))?),
            None => None,
        };
        tracing::warn!(%issuer, "DEVELOPMENT identity provider: known passwords, never for \
            production");
        warn_of_dangers(&config);
        let keys = KeyRing::new(algorithm, shape, config.key_file.as_deref()).await?;
        let mut state = IdpState::new(issuer, config, keys, Box::new(clock));
        // On top of the settings, which stay what they are on disk.
        changes.apply(&state);
        state.tls = tls;
        // Only the bound listener knows its port, which the system may have chosen.
        if let Some(address) = listeners.mutual_address() {
            state.mtls_base = state.beside(address);
        }
        let (state, address) = (Arc::new(state), listeners.address);
        let taken_address = listeners.taken;
        let servers = listeners.serve(&endpoint::router(&state), state.tls.as_ref());
        let audience = state.audience_for(USERS_CLIENT);
        Ok(Self {
            state,
            audience,
            address,
            taken_address,
            servers,
        })
    }

    /// The issuer identifier.
    pub fn issuer(&self) -> &Issuer {
        &self.state.issuer
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the settings, if it was taken and [`address`](Self::address) has its place:
    /// see [`free_port_if_taken`](IdpConfig::free_port_if_taken).
    pub fn taken_address(&self) -> Option<SocketAddr> {
        self.taken_address
    }

    /// The address of the key set.
    pub fn jwks_uri(&self) -> String {
        match self.state.documents.first() {
            Some(first) => self.state.url(&first.keys),
            None => String::new(),
        }
    }

    /// The address of the metadata; `None` if the imitated provider has none (Cloudflare).
    pub fn metadata_uri(&self) -> Option<String> {
        let path = self.state.documents.first()?.metadata.first()?;
        Some(self.state.url(path))
    }

    /// The key set as it is published now.
    pub fn jwks(&self) -> String {
        match self.state.documents.first() {
            Some(first) => Value::from(self.state.jwks_in(first)).to_string(),
            None => "{}".to_owned(),
        }
    }

    /// The token endpoint.
    pub fn token_endpoint(&self) -> String {
        self.state
            .endpoint(self.state.endpoints.token.as_ref(), "/token")
    }

    /// The introspection endpoint. It works in every dialect, though not every provider names it in
    /// its metadata.
    pub fn introspection_endpoint(&self) -> String {
        self.state
            .endpoint(self.state.endpoints.introspect.as_ref(), "/introspect")
    }

    /// The imitation of Microsoft Graph, which returns a user's groups (Entra ID only). It stands
    /// for `https://graph.microsoft.com`, also as the audience that a client asks for.
    pub fn graph(&self) -> String {
        self.state.url("/graph")
    }

    /// The base address for clients with certificates (RFC 8705, section 5); `None` without TLS.
    pub fn mtls_base(&self) -> Option<&str> {
        self.state.mtls_base.as_deref()
    }

    /// The authority certificate made at start, in PEM, for clients to trust.
    pub fn authority(&self) -> Option<String> {
        Some(self.own_authority()?.pem())
    }

    /// A client certificate with the subject `CN=<name>`, by the authority made at start. `None`
    /// without TLS, or if the settings name certificates of their own.
    pub fn client_certificate(&self, name: &str) -> Option<ClientCertificate> {
        self.own_authority()?.for_client(name).ok()
    }

    fn own_authority(&self) -> Option<&Authority> {
        self.state.tls.as_ref()?.authority.as_ref()
    }

    /// The issuer without the imitated provider's path: every address begins with it.
    pub fn base(&self) -> &str {
        &self.state.base
    }

    /// The address of the console, unless the settings turn it off.
    pub fn console(&self) -> Option<String> {
        let address = self.state.url("/console");
        self.state.config.console.then_some(address)
    }

    /// The imitated provider.
    pub fn dialect(&self) -> Dialect {
        self.state.config.dialect
    }

    /// The format of access tokens that flows issue.
    pub fn access_token_format(&self) -> TokenFormat {
        self.state.format()
    }

    /// The default audience of users' tokens.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Every default audience. There is one, unless the imitated provider names the client in its
    /// place: then there are as many as clients.
    pub fn audiences(&self) -> Vec<String> {
        // The users' audience first: it is what most settings want.
        let mut audiences = vec![self.audience.clone()];
        for client in &self.state.config.clients {
            let audience = self.state.audience_for(&client.id);
            if !audiences.contains(&audience) {
                audiences.push(audience);
            }
        }
        audiences
    }

    /// A token for the user or the client of this name, without any flow. Valid for an hour.
    ///
    /// An unknown name makes a user of that name, without roles. A user's token is for the client
    /// `web`.
    pub fn token(&self, name: &str) -> TokenBuilder {
        token_for(&self.state, name)
    }

    /// Allows a device (RFC 8628) for this user, by its user code, as the page `/device` does.
    /// Returns whether a device waits for that code and the user is known.
    pub fn allow_device(&self, user_code: &str, username: &str) -> bool {
        device::allow(&self.state, user_code, username)
    }

    /// Denies a device. Returns whether one waits for that code.
    pub fn deny_device(&self, user_code: &str) -> bool {
        device::deny(&self.state, user_code)
    }

    /// Ends every session of a user and its tokens, and notifies the clients that registered for it
    /// (OpenID Connect Back-Channel Logout 1.0). Returns when all have been notified.
    pub async fn logout(&self, username: &str) -> Vec<LogoutNotice> {
        logout::end_all(&self.state, username, &[]).await
    }

    /// A logout token for that client, to post by hand. An unknown name makes a user.
    pub fn logout_token(&self, username: &str, client: &str) -> LogoutTokenBuilder {
        let user = match self.state.user(username) {
            Some(user) => user,
            None => Arc::new(User::unknown(username)),
        };
        LogoutTokenBuilder::new(&self.state, user, client)
    }

    /// An event about a user, to be sent or only signed.
    pub fn event(&self, username: &str, event: SecurityEvent) -> EventBuilder {
        EventBuilder::new(&self.state, username, event)
    }

    /// Sends an event about a user into every stream that wants it (OpenID Shared Signals
    /// Framework). Returns when the pushed ones have arrived, or failed after four attempts
    /// within some seconds.
    pub async fn send_event(&self, username: &str, event: &SecurityEvent) -> Vec<EventNotice> {
        self.event(username, event.clone()).send().await
    }

    /// Sends a verification event that nobody asked for into every stream (SSF 1.0, section 8.1.4).
    pub async fn send_verification(&self) -> Vec<EventNotice> {
        stream_event::verify_all(&self.state).await
    }

    /// Changes the status of a stream as the provider's own decision: its receiver is told by
    /// `stream-updated`. Returns whether there is a stream of that `stream_id`.
    pub async fn set_stream_status(
        &self,
        stream: &str,
        status: StreamStatus,
        reason: Option<&str>,
    ) -> bool {
        let reason = reason.map(str::to_owned);
        stream_event::change_status(&self.state, stream, status, reason).await
    }

    /// The latest two hundred events and what became of them by now, the newest first: which were
    /// taken, which wait, and which the receiver refused and why.
    pub fn event_notices(&self) -> Vec<EventNotice> {
        self.state.store().notices.all()
    }

    /// Rotates the signing key.
    pub async fn rotate(&self, overlap: Overlap) {
        self.state.keys.rotate(overlap).await;
    }

    /// Stops, and returns when the requests under way have been answered.
    pub async fn shutdown(mut self) {
        // Nobody listens where no poll waits.
        self.state.stopping.send_replace(true);
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
            "danger_listen_anywhere: anybody who reaches this provider can sign in as anybody"
        );
    }
    if config.danger_any_client {
        tracing::warn!("danger_any_client: clients that are not configured pass every check");
    }
    for client in &config.clients {
        if client.danger_unchecked {
            tracing::warn!(
                client = client.id,
                "danger_unchecked: any secret, address, scope and audience is good"
            );
        }
        if client.danger_no_pkce {
            tracing::warn!(
                client = client.id,
                "danger_no_pkce: a stolen code of this client can be used"
            );
        }
    }
}

/// The configured issuer, or else the address with the imitated provider's path.
fn issuer(config: &IdpConfig, address: SocketAddr) -> Result<Issuer, ConfigErrors> {
    let issuer = match &config.issuer {
        Some(issuer) => issuer.clone(),
        None => {
            let scheme = if config.tls.is_some() {
                "https"
            } else {
                "http"
            };
            let path = config.dialect.shape().issuer_path(&tenant_of(config));
            format!("{scheme}://{address}{path}")
        }
    };
    Issuer::parse(issuer).map_err(|error| {
        let help = "write `issuer`, as clients will reach this provider";
        ConfigError::wrong("issuer", error.to_string())
            .help(help)
            .into()
    })
}

/// The names of the server's certificate, besides loopback.
fn hosts(config: &IdpConfig, issuer: &Issuer) -> Vec<String> {
    let mut hosts = Vec::new();
    if let Ok(url) = Url::parse(issuer.as_str())
        && let Some(host) = url.host_str()
    {
        // Certificates write IPv6 addresses without brackets.
        hosts.push(host.trim_matches(['[', ']']).to_owned());
    }
    let ip = config.listen.ip();
    // `0.0.0.0` is no address that a client connects to.
    if !ip.is_unspecified() {
        hosts.push(ip.to_string());
    }
    hosts
}
