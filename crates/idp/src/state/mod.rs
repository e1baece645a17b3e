//! The state that all endpoints share.

pub(crate) mod clients;
pub(crate) mod console_file;
pub(crate) mod facts;
pub(crate) mod origin;
pub(crate) mod outbound;
pub(crate) mod record;
pub(crate) mod users;

use crate::config::IdpConfig;
use crate::config::client::RegisteredClient;
use crate::config::user::User;
use crate::dialect::shape::{Endpoints, IssuerDocuments, ProviderShape};
use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use crate::fault::flaw::Flaws;
use crate::fault::switches::Switches;
use crate::keys::KeyRing;
use crate::keys::tls::TlsMaterial;
use crate::state::clients::ClientRegistry;
use crate::state::origin::Origin;
use crate::state::outbound::Outbound;
use crate::state::users::UserRegistry;
use crate::store::Store;
use crate::store::journal::Journal;
use crate::store::trials::Trials;
use crate::token::claims::JsonObject;
use crate::token::encoding::random_text;
use crate::token::kind::{FlowToken, TokenFormat};
use portcullis_core::token::Issuer;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use url::Url;

/// The client of users' tokens, unless a flow names another one.
pub(crate) const USERS_CLIENT: &str = "web";

/// The time, in seconds since 1970.
pub(crate) type TimeSource = Box<dyn Fn() -> u64 + Send + Sync>;

pub(crate) struct IdpState {
    pub(crate) issuer: Issuer,
    /// The issuer without the path that the dialect gives it.
    pub(crate) base: String,
    pub(crate) shape: &'static dyn ProviderShape,
    pub(crate) tenant: String,
    pub(crate) endpoints: Endpoints,
    /// The documents: the issuer's own first.
    pub(crate) documents: Vec<IssuerDocuments>,
    pub(crate) config: IdpConfig,
    pub(crate) clients: ClientRegistry,
    pub(crate) users: UserRegistry,
    pub(crate) keys: KeyRing,
    pub(crate) switches: Switches,
    pub(crate) flaws: Flaws,
    /// How many seconds the clock is ahead.
    pub(crate) clock_off: AtomicI64,
    pub(crate) clock: TimeSource,
    pub(crate) tls: Option<TlsMaterial>,
    /// The base address for clients with certificates.
    pub(crate) mtls_base: Option<String>,
    pub(crate) outbound: Outbound,
    /// The secret that the nonces for proofs are derived from.
    pub(crate) nonce_secret: String,
    /// Whether the provider stops: polls that wait for an event end then.
    pub(crate) stopping: watch::Sender<bool>,
    store: Mutex<Store>,
    journal: Mutex<Journal>,
    trials: Mutex<Trials>,
}

impl IdpState {
    pub(crate) fn new(issuer: Issuer, config: IdpConfig, keys: KeyRing, clock: TimeSource) -> Self {
        let shape = config.dialect.shape();
        let tenant = tenant_of(&config);
        // A configured issuer without the dialect's path is its own base.
        let base = issuer
            .as_str()
            .strip_suffix(&shape.issuer_path(&tenant))
            .unwrap_or(issuer.as_str());
        // The configured tenant comes first: its documents are the provider's own.
        let mut tenants = vec![tenant.clone()];
        for named in config
            .users
            .iter()
            .filter_map(|user| user.tenant.as_ref())
        {
            if !tenants.contains(named) {
                tenants.push(named.clone());
            }
        }
        Self {
            base: base.trim_end_matches('/').to_owned(),
            endpoints: shape.endpoints(&tenant),
            documents: shape.documents(&tenants),
            issuer,
            shape,
            tenant,
            clients: ClientRegistry::new(&config.clients, config.danger_any_client),
            users: UserRegistry::new(&config.users),
            config,
            keys,
            switches: Switches::default(),
            flaws: Flaws::default(),
            clock_off: AtomicI64::default(),
            clock,
            tls: None,
            mtls_base: None,
            outbound: Outbound::default(),
            nonce_secret: random_text(32),
            stopping: watch::Sender::new(false),
            store: Mutex::default(),
            journal: Mutex::default(),
            trials: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        // Every time of the provider comes from here, so a wrong clock is wrong everywhere.
        (self.clock)().saturating_add_signed(self.clock_off.load(Ordering::SeqCst))
    }

    /// The time without the fault of the clock: for what people look at, not for tokens.
    pub(crate) fn true_time(&self) -> u64 {
        (self.clock)()
    }

    /// Clears all faults: of endpoints, of tokens and of the clock.
    pub(crate) fn clear_faults(&self) {
        for endpoint in Endpoint::ALL {
            self.switches.set(endpoint, Fault::None.into());
        }
        for kind in FlowToken::ALL {
            self.flaws.set(kind, Vec::new());
            self.flaws.set_next(kind, Vec::new());
        }
        self.clock_off.store(0, Ordering::SeqCst);
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        // After a panic elsewhere the memory is still good: a test server should go on.
        self.store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn trials(&self) -> MutexGuard<'_, Trials> {
        self.trials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn user(&self, username: &str) -> Option<Arc<User>> {
        self.users.find(username)
    }

    /// The configured identifier, or one derived from the username.
    pub(crate) fn user_id(&self, user: &User) -> String {
        match &user.id {
            Some(id) => id.clone(),
            None => self.shape.user_id(&user.username),
        }
    }

    /// The names of all users, in the order of the settings.
    pub(crate) fn usernames(&self) -> Vec<String> {
        let users = self.users.all().into_iter();
        users.map(|(user, _)| user.username.clone()).collect()
    }

    /// The names of the clients. Those of clients that registered themselves are random, and help
    /// nobody.
    pub(crate) fn client_ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for (client, origin) in self.clients.with_origins() {
            if origin != Origin::Registration {
                ids.push(client.id.clone());
            }
        }
        ids
    }

    pub(crate) fn client(&self, id: &str) -> Option<Arc<RegisteredClient>> {
        self.clients.find(id)
    }

    /// The URL of a path below the base.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The base at another address of the same host, by HTTPS.
    pub(crate) fn beside(&self, address: SocketAddr) -> Option<String> {
        let base = Url::parse(&self.base).ok()?;
        Some(format!("https://{}:{}", base.host_str()?, address.port()))
    }

    /// The URLs of a path at each of our addresses.
    pub(crate) fn urls(&self, path: &str) -> Vec<String> {
        let mut urls = vec![self.url(path)];
        if let Some(base) = &self.mtls_base {
            urls.push(format!("{base}{path}"));
        }
        urls
    }

    /// The URL of an endpoint: the imitated provider's, or else the one that every dialect has.
    pub(crate) fn endpoint(&self, theirs: Option<&String>, ours: &str) -> String {
        self.url(theirs.map_or(ours, String::as_str))
    }

    /// The issuer of that tenant's tokens.
    pub(crate) fn issuer_of(&self, tenant: &str) -> String {
        // The configured issuer may differ from base and path, so only those of other tenants are
        // put together.
        if self.shape.has_tenants() && tenant != self.tenant {
            self.url(&self.shape.issuer_path(tenant))
        } else {
            self.issuer.to_string()
        }
    }

    /// The default audience of a client's tokens.
    pub(crate) fn audience_for(&self, client: &str) -> String {
        match &self.config.audience {
            Some(audience) => audience.clone(),
            None => self.shape.audience(client, &self.tenant),
        }
    }

    pub(crate) fn format(&self) -> TokenFormat {
        match self.config.access_token_format {
            Some(format) => format,
            None => self.shape.format(),
        }
    }

    /// The issuer that one of the documents names.
    pub(crate) fn issuer_in(&self, document: &IssuerDocuments) -> String {
        match self.documents.first() {
            // The configured issuer, which need not be the base and the dialect's path.
            Some(first) if first.issuer == document.issuer => self.issuer.to_string(),
            _ => self.url(&document.issuer),
        }
    }

    /// The issuer that the provider's own metadata names, and with it callbacks and ID tokens.
    pub(crate) fn published_issuer(&self) -> String {
        match (self.shape.access_token_issuer(), self.documents.first()) {
            (Some(_), Some(own)) => self.url(&own.issuer),
            _ => self.issuer.to_string(),
        }
    }

    /// One of the key sets as it is published now.
    pub(crate) fn jwks_in(&self, document: &IssuerDocuments) -> JsonObject {
        // Only Entra ID has a key of another tenant; elsewhere this is unused.
        let other = self.url(&self.shape.issuer_path(self.shape.other_tenant()));
        self.keys.jwks(&self.issuer_in(document), &other)
    }
}

/// The configured tenant, or the dialect's own.
pub(crate) fn tenant_of(config: &IdpConfig) -> String {
    match &config.tenant {
        Some(tenant) => tenant.clone(),
        None => config.dialect.shape().tenant().to_owned(),
    }
}

pub(crate) fn system_time() -> u64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs(),
        Err(_) => 0,
    }
}
