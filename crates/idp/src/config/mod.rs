//! The identity provider's settings: users, clients, tokens, addresses.
//!
//! The defaults are good for development. The settings can be written as TOML; unknown members are
//! refused.

pub(crate) mod address;
pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod events;
#[cfg(feature = "schema")]
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod tls;
pub(crate) mod toml_text;
pub(crate) mod user;

use crate::config::client::RegisteredClient;
use crate::config::events::EventSettings;
use crate::config::secret::Secret;
use crate::config::tls::Tls;
use crate::config::user::User;
use crate::dialect::Dialect;
use crate::token::claims::JsonObject;
use crate::token::kind::TokenFormat;
use portcullis_core::jose::Algorithm;
use portcullis_core::{ConfigError, ConfigErrors};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The settings of a development identity provider.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct IdpConfig {
    /// The provider whose tokens and documents are imitated: `as` in TOML. Default
    /// `generic`, nobody in particular.
    #[serde(rename = "as")]
    pub dialect: Dialect,
    /// The imitated provider's tenant, realm, environment, project, user pool, authorization server
    /// or application. It is part of the issuer's path, or the claim `tid`. Default a made-up one.
    pub tenant: Option<String>,
    /// The address to listen on. Default `127.0.0.1:0`, any free port. Only loopback is allowed,
    /// except with `danger_listen_anywhere`.
    pub listen: SocketAddr,
    /// Whether to use any free port if the wanted one is taken. Default false.
    pub free_port_if_taken: bool,
    /// The issuer identifier. Default `http://`, the address, and the imitated provider's path.
    pub issuer: Option<String>,
    /// HTTPS in place of HTTP, and clients with certificates. Default none.
    pub tls: Option<Tls>,
    /// The signature algorithm: `RS256` (default) or any other that Portcullis verifies.
    pub algorithm: String,
    /// The file of the private key (PKCS #8 in PEM) that signs after every start. A missing file
    /// is written, an existing one never: keys of a rotation are lost at a restart, and the file's
    /// key signs again. Default none: a new key at every start.
    pub key_file: Option<PathBuf>,
    /// The lifetime of access tokens, in seconds. Default 3,600.
    pub access_token_lifetime: u32,
    /// The lifetime of ID tokens, in seconds. Default that of access tokens.
    pub id_token_lifetime: Option<u32>,
    /// The lifetime of authorization codes, in seconds. Default 60; RFC 6749 allows 600 at most.
    pub authorization_code_lifetime: u32,
    /// The lifetime of refresh tokens, in seconds. Default 1,209,600 (14 days). Each use issues a
    /// new one, which lasts as long again.
    pub refresh_token_lifetime: u32,
    /// `jwt` or `opaque`. Default the imitated provider's: opaque for Google, ZITADEL and Ory
    /// Hydra.
    pub access_token_format: Option<TokenFormat>,
    /// The audience of tokens when a client asks for none. Default `api://enterprise-api`, or the
    /// imitated provider's counterpart: a GUID, a project, or the client itself.
    pub audience: Option<String>,
    /// The people who can sign in. Default alice, with the role Admin, and bob, without one.
    #[serde(rename = "user")]
    pub users: Vec<User>,
    /// The applications that can get tokens. Default `service`, with a secret, and `web`, without
    /// one.
    #[serde(rename = "client")]
    pub clients: Vec<RegisteredClient>,
    /// The shortest interval between polls of a device, in seconds (RFC 8628, section 3.2). Default
    /// 5; with 0 there is no limit.
    pub device_poll_interval: u32,
    /// Streams of security events. By default a poll waits for 30 seconds, and nothing else is
    /// limited.
    pub events: EventSettings,
    /// Whether DPoP proofs must contain a nonce from here (RFC 9449, section 8). Default false.
    pub dpop_nonce: bool,
    /// Whether clients may register themselves (RFC 7591). Default true.
    pub dynamic_registration: bool,
    /// The origins of web pages that may call the endpoints (CORS), such as
    /// `https://app.example.com`. Pages on loopback may always. Default none.
    pub cors_origins: Vec<String>,
    /// Accepts any name as a client, and skips its checks: any secret, address, scope and audience
    /// is good. Configured clients stay as they are.
    pub danger_any_client: bool,
    /// Whether there is a console, at `/console`. Default true.
    pub console: bool,
    /// The file in which the console keeps the users and clients that were added, changed or
    /// removed by hand. A missing file is written at the first change. Default none: they are lost
    /// when the provider stops.
    pub console_file: Option<PathBuf>,
    /// Listens beyond loopback. Anybody who reaches it can sign in as anybody: only for closed
    /// sandboxes.
    pub danger_listen_anywhere: bool,
}

/// Where the client `web` may be called back: a page of its own, and Swagger UI, as `portcullis`
/// and as FastAPI serve it. The port is any (RFC 8252, section 7.3).
const WEB_REDIRECT_URIS: [&str; 6] = [
    "http://127.0.0.1/callback",
    "http://localhost/callback",
    "http://127.0.0.1/docs/oauth2-redirect.html",
    "http://localhost/docs/oauth2-redirect.html",
    "http://127.0.0.1/docs/oauth2-redirect",
    "http://localhost/docs/oauth2-redirect",
];

impl Default for IdpConfig {
    fn default() -> Self {
        let user = |username: &str, name: &str, roles: &[&str]| User {
            username: username.to_owned(),
            password: Secret::new(username),
            id: None,
            name: name.to_owned(),
            email: Some(format!("{username}@example.test")),
            roles: roles.iter().map(ToString::to_string).collect(),
            groups: Vec::new(),
            tenant: None,
            claims: JsonObject::new(),
        };
        let scopes = || {
            ["orders:read", "orders:write"]
                .map(str::to_owned)
                .to_vec()
        };
        let client = |id: &str, secret: Option<&str>, redirect_uris: &[&str]| RegisteredClient {
            id: id.to_owned(),
            secret: secret.map(Secret::new),
            redirect_uris: redirect_uris.iter().map(ToString::to_string).collect(),
            scopes: scopes(),
            ..RegisteredClient::default()
        };
        Self {
            dialect: Dialect::Generic,
            tenant: None,
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            free_port_if_taken: false,
            issuer: None,
            tls: None,
            key_file: None,
            algorithm: Algorithm::RS256.name().to_owned(),
            access_token_lifetime: 3_600,
            id_token_lifetime: None,
            // A browser needs a second.
            authorization_code_lifetime: 60,
            // Long enough that no development session meets the limit.
            refresh_token_lifetime: 14 * 24 * 3_600,
            access_token_format: None,
            audience: None,
            users: vec![
                user("alice", "Alice Adams", &["Admin"]),
                user("bob", "Bob Brown", &[]),
            ],
            clients: vec![
                client("service", Some("service-secret"), &[]),
                client("web", None, &WEB_REDIRECT_URIS),
            ],
            device_poll_interval: 5,
            events: EventSettings::default(),
            dpop_nonce: false,
            dynamic_registration: true,
            cors_origins: Vec::new(),
            danger_any_client: false,
            console: true,
            console_file: None,
            danger_listen_anywhere: false,
        }
    }
}

impl IdpConfig {
    pub(crate) fn id_token_lifetime(&self) -> u32 {
        self.id_token_lifetime
            .unwrap_or(self.access_token_lifetime)
    }

    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// What cannot be read, with its line.
    pub fn from_toml(text: &str) -> Result<Self, ConfigErrors> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            // TOML errors have byte positions; people look for lines.
            let line = 1 + text
                .bytes()
                .take(start)
                .filter(|byte| *byte == b'\n')
                .count();
            ConfigError::wrong(format!("line {line}"), error.message())
                .help("see `IdpConfig` for the members")
                .into()
        })
    }
}
