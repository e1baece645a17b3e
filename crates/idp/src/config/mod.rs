//! The identity provider's settings: who may sign in, which clients there are, what tokens look
//! like.
//!
//! Good for development as they are. They can be written as TOML; unknown members are refused.

pub(crate) mod address;
pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod secret;
pub(crate) mod tls;
pub(crate) mod user;

use crate::config::client::Client;
use crate::config::secret::Secret;
use crate::config::tls::Tls;
use crate::config::user::User;
use crate::dialect::Dialect;
use crate::token::claims::Claims;
use crate::token::kind::TokenFormat;
use portcullis_core::jose::Algorithm;
use portcullis_core::{ConfigError, ConfigErrors};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The settings of a development identity provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdpConfig {
    /// Which provider's tokens and documents are imitated: `as` in TOML. Default nobody's in
    /// particular.
    #[serde(rename = "as")]
    pub dialect: Dialect,
    /// What the imitated provider calls tenant, realm, environment, project, user pool,
    /// authorization server or application. It stands in the issuer's path, or in the claim `tid`.
    /// Default one that is made up.
    pub tenant: Option<String>,
    /// Where to listen. Default `127.0.0.1:0`, any free port. Only loopback, unless told otherwise.
    pub listen: SocketAddr,
    /// Whether any free port will do where the wanted one is taken. Default false.
    pub free_port_if_taken: bool,
    /// The issuer identifier. Default `http://`, the address it listens on, and the path that the
    /// imitated provider's issuers have.
    pub issuer: Option<String>,
    /// HTTPS in place of HTTP, and clients with certificates. Default none.
    pub tls: Option<Tls>,
    /// The signature algorithm: RS256 (default) or any other that Portcullis verifies.
    pub algorithm: String,
    /// Where the private key lies (PKCS #8 in PEM), so that the key set is the same after a
    /// restart. A file that is not there is written. Default none: a new key at every start.
    pub key_file: Option<PathBuf>,
    /// How long access tokens live, in seconds. Default 3,600.
    pub access_token_lifetime: u32,
    /// `jwt` or `opaque`. Default what the imitated provider does: opaque for Google, ZITADEL and
    /// Ory Hydra.
    pub access_token_format: Option<TokenFormat>,
    /// The audience of tokens when none is asked for. Default `api://enterprise-api`, or what the
    /// imitated provider has in its place: a GUID, a project, or the client itself.
    pub audience: Option<String>,
    /// Who may sign in. Default alice, who has the role Admin, and bob, who has none.
    #[serde(rename = "user")]
    pub users: Vec<User>,
    /// Who may ask for tokens. Default `service`, with a secret, and `web`, without one.
    #[serde(rename = "client")]
    pub clients: Vec<Client>,
    /// How often a device may ask whether its user is done, in seconds (RFC 8628, section 3.2).
    /// Default 5; with 0 it is never told to slow down.
    pub device_poll_interval: u32,
    /// Whether proofs must hold a nonce from here (RFC 9449, section 8). Default false.
    pub dpop_nonce: bool,
    /// Whether clients may register themselves (RFC 7591). Default true.
    pub dynamic_registration: bool,
    /// Web pages that may ask from a browser (CORS), by their origins, such as
    /// `http://localhost:3000`. Default none.
    pub cors_origins: Vec<String>,
    /// Takes any name for a client, and believes it everything: any secret, address, scope and
    /// audience. Clients that are configured stay as they are.
    pub danger_any_client: bool,
    /// Whether there are pages at `/console` for whoever looks at it in a browser. Default true.
    pub console: bool,
    /// Listens beyond loopback. Anybody who reaches it can sign in as anybody: never do this
    /// outside a sandbox.
    pub danger_listen_anywhere: bool,
}

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
            claims: Claims::new(),
        };
        let scopes = || ["orders:read", "orders:write"].map(str::to_owned).to_vec();
        let client = |id: &str, secret: Option<&str>, redirect_uris: &[&str]| Client {
            id: id.to_owned(),
            secret: secret.map(Secret::new),
            redirect_uris: redirect_uris.iter().map(ToString::to_string).collect(),
            scopes: scopes(),
            ..Client::default()
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
            access_token_format: None,
            audience: None,
            users: vec![
                user("alice", "Alice Adams", &["Admin"]),
                user("bob", "Bob Brown", &[]),
            ],
            clients: vec![
                client("service", Some("service-secret"), &[]),
                client(
                    "web",
                    None,
                    &["http://127.0.0.1/callback", "http://localhost/callback"],
                ),
            ],
            device_poll_interval: 5,
            dpop_nonce: false,
            dynamic_registration: true,
            cors_origins: Vec::new(),
            danger_any_client: false,
            console: true,
            danger_listen_anywhere: false,
        }
    }
}

impl IdpConfig {
    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// What cannot be read, with its line.
    pub fn from_toml(text: &str) -> Result<Self, ConfigErrors> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
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
