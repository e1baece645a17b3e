//! HTTPS and the probes' listener, as written.

use schemars::JsonSchema;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `[gateway.tls]`, as written. The files are read again when they change.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate chain, in PEM, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key, in PEM.
    pub key: PathBuf,
    /// The lowest version: `1.2` (default) or `1.3`.
    pub minimum: Option<String>,
    /// Certificates of the authorities whose client certificates are accepted, in PEM. Default:
    /// clients are not asked for one.
    pub client_authorities: Option<PathBuf>,
    /// Whether a client without a certificate may connect. Default false; needs
    /// `client_authorities`.
    #[serde(default)]
    pub client_certificate_optional: bool,
    /// Asks clients for a certificate and takes any, whoever signed it, for tokens that are bound
    /// to one (RFC 8705, section 6.2). A client without one may connect. Default false.
    #[serde(default)]
    pub bound_clients: bool,
    /// `max-age` of `Strict-Transport-Security` (RFC 6797), in seconds. Default 31,536,000; 0
    /// leaves it out.
    pub hsts: Option<u64>,
    /// An address that answers plain HTTP with a redirect to HTTPS. Default: none.
    pub redirect: Option<SocketAddr>,
}

/// `[gateway.admin]`, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct AdminConfig {
    /// The address to listen on, for plain HTTP: `/live` (also as `/health` and `/healthz`),
    /// `/ready`, `/metrics`. It tells no secrets.
    pub listen: SocketAddr,
}
