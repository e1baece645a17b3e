//! The settings of HTTPS.

use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// HTTPS in place of HTTP. Without files a certificate is made at start, by an authority that is
/// made for it.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The server's certificates in PEM, its own first. With it goes `key`.
    pub certificate: Option<PathBuf>,
    /// The private key in PEM.
    pub key: Option<PathBuf>,
    /// Where the certificate of the authority that is made is written, for clients to trust.
    pub authority_file: Option<PathBuf>,
    /// More names and addresses for the certificate that is made, besides `localhost`, loopback and
    /// the issuer's host.
    pub names: Vec<String>,
    /// The authorities of clients' certificates in PEM (`tls_client_auth`). Default the one that is
    /// made.
    pub client_authorities: Option<PathBuf>,
    /// Where to listen for clients with certificates. Default any free port beside `listen`.
    pub mtls_listen: Option<SocketAddr>,
}
