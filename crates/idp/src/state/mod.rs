//! What all endpoints share.

pub(crate) mod clients;
pub(crate) mod facts;
pub(crate) mod outbound;
pub(crate) mod record;

use crate::config::IdpConfig;
use crate::config::client::Client;
use crate::config::user::User;
use crate::dialect::shape::{Endpoints, Published, Shape};
use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use crate::fault::flaw::Flaws;
use crate::fault::switches::Switches;
use crate::keys::Keys;
use crate::keys::tls::Ready;
use crate::state::clients::Clients;
use crate::state::outbound::Outbound;
use crate::store::Store;
use crate::store::journal::Journal;
use crate::token::claims::Claims;
use crate::token::encoding::random_text;
use crate::token::kind::{Kind, TokenFormat};
use portcullis_core::token::Issuer;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use url::Url;

/// The client for whom users' tokens are, where no flow says another.
pub(crate) const USERS_CLIENT: &str = "web";

/// The time, in seconds since 1970.
pub(crate) type Now = Box<dyn Fn() -> u64 + Send + Sync>;

pub(crate) struct State {
    pub(crate) issuer: Issuer,
    /// The issuer without the path that the dialect gives it.
    pub(crate) base: String,
    pub(crate) shape: &'static dyn Shape,
    pub(crate) tenant: String,
    pub(crate) endpoints: Endpoints,
    /// The documents: the issuer's own first.
    pub(crate) published: Vec<Published>,
    pub(crate) config: IdpConfig,
    pub(crate) clients: Clients,
    pub(crate) keys: Keys,
    pub(crate) switches: Switches,
    pub(crate) flaws: Flaws,
    /// How many seconds the clock is wrong.
    pub(crate) clock_off: AtomicI64,
    pub(crate) clock: Now,
    pub(crate) tls: Option<Ready>,
    /// Where clients with certificates reach it.
    pub(crate) mtls_base: Option<String>,
    pub(crate) outbound: Outbound,
    /// What the nonces for proofs are made of.
    pub(crate) nonce_secret: String,
    store: Mutex<Store>,
    journal: Mutex<Journal>,
}

impl State {
    pub(crate) fn new(issuer: Issuer, config: IdpConfig, keys: Keys, clock: Now) -> Self {
        let shape = config.dialect.shape();
        let tenant = tenant_of(&config);
        let base = issuer
            .as_str()
            .strip_suffix(&shape.issuer_path(&tenant))
            .unwrap_or(issuer.as_str());
        let mut tenants = vec![tenant.clone()];
        for named in config.users.iter().filter_map(|user| user.tenant.as_ref()) {
            if !tenants.contains(named) {
                tenants.push(named.clone());
            }
        }
        Self {
            base: base.trim_end_matches('/').to_owned(),
            endpoints: shape.endpoints(&tenant),
            published: shape.published(&tenants),
            issuer,
            shape,
            tenant,
            clients: Clients::new(&config.clients, config.danger_any_client),
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
            store: Mutex::default(),
            journal: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        (self.clock)().saturating_add_signed(self.clock_off.load(Ordering::SeqCst))
    }

    /// Every endpoint works again, tokens are good, the clock is right.
    pub(crate) fn clear_faults(&self) {
        Endpoint::ALL
            .into_iter()
            .for_each(|endpoint| self.switches.set(endpoint, Fault::None));
        for kind in [Kind::Access, Kind::Id] {
            self.flaws.set(kind, Vec::new());
            self.flaws.set_next(kind, Vec::new());
        }
        self.clock_off.store(0, Ordering::SeqCst);
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn user(&self, username: &str) -> Option<&User> {
        self.config
            .users
            .iter()
            .find(|user| user.username == username)
    }

    /// The configured identifier, or one that is always the same for the same username.
    pub(crate) fn user_id(&self, user: &User) -> String {
        user.id
            .clone()
            .unwrap_or_else(|| self.shape.user_id(&user.username))
    }

    pub(crate) fn client(&self, id: &str) -> Option<Arc<Client>> {
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
        let mutual = self.mtls_base.as_ref().map(|base| format!("{base}{path}"));
        [self.url(path)].into_iter().chain(mutual).collect()
    }

    /// The URL of an endpoint where the provider has it, else where this one always has it.
    pub(crate) fn endpoint(&self, theirs: Option<&String>, ours: &str) -> String {
        self.url(theirs.map_or(ours, String::as_str))
    }

    /// The issuer of that tenant's tokens.
    pub(crate) fn issuer_of(&self, tenant: &str) -> String {
        match self.shape.has_tenants() && tenant != self.tenant {
            true => self.url(&self.shape.issuer_path(tenant)),
            false => self.issuer.to_string(),
        }
    }

    /// The audience of a client's tokens when none is asked for.
    pub(crate) fn audience_for(&self, client: &str) -> String {
        self.config
            .audience
            .clone()
            .unwrap_or_else(|| self.shape.audience(client, &self.tenant))
    }

    pub(crate) fn format(&self) -> TokenFormat {
        self.config
            .access_token_format
            .unwrap_or_else(|| self.shape.format())
    }

    /// The issuer that one of the documents names.
    pub(crate) fn issuer_in(&self, document: &Published) -> String {
        let own = self
            .published
            .first()
            .is_some_and(|first| first.issuer == document.issuer);
        if own {
            self.issuer.to_string()
        } else {
            self.url(&document.issuer)
        }
    }

    /// One of the key sets as it is published now.
    pub(crate) fn jwks_in(&self, document: &Published) -> Claims {
        let other = self.url(&self.shape.issuer_path(self.shape.other_tenant()));
        self.keys.jwks(&self.issuer_in(document), &other)
    }
}

/// The configured tenant, or the one that the dialect makes up.
pub(crate) fn tenant_of(config: &IdpConfig) -> String {
    config
        .tenant
        .clone()
        .unwrap_or_else(|| config.dialect.shape().tenant().to_owned())
}

pub(crate) fn system_time() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
