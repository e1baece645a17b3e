//! The tables of the doors beside the reverse proxy, as written.

use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;

/// `[forward_auth]`, as written: other proxies ask whether they may forward a request.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ForwardAuthConfig {
    /// Where to listen: an address and a port, or `unix:` and the absolute path of a socket.
    pub listen: String,
    /// The program that asks: `nginx`, `ingress-nginx`, `traefik` or `caddy`. It decides which
    /// headers tell the original request, and which statuses the program passes on.
    pub proxy: String,
    /// Addresses and networks of the proxies that may ask, whose word about the original request is
    /// taken; `unix` for whoever may open the Unix socket. Default: none, and then every request is
    /// refused.
    #[serde(default)]
    pub trusted_peers: Vec<String>,
    /// TLS. Without it, only loopback and Unix sockets can be listened on.
    pub tls: Option<DoorTlsConfig>,
    /// Listens for plain HTTP beyond loopback: whoever is on the way reads the tokens.
    #[serde(default)]
    pub danger_plain_http: bool,
}

/// `[ext_authz]`, as written: Envoy and what is built on it ask whether they may forward a request.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ExtAuthzConfig {
    /// Where to listen: an address and a port, or `unix:` and the absolute path of a socket.
    pub listen: String,
    /// The `path_prefix` of Envoy's `http_service`, such as `/check`. Default: none, and only gRPC
    /// is spoken.
    pub path_prefix: Option<String>,
    /// TLS. Without `client_authorities` in it, only loopback and Unix sockets can be listened on.
    pub tls: Option<DoorTlsConfig>,
    /// Listens beyond loopback without client certificates: whoever reaches the port can ask, and
    /// without TLS, whoever is on the way reads the tokens.
    #[serde(default)]
    pub danger_open_listener: bool,
}

/// `[receivers]`, as written: where providers send logouts and security events to. Without it, they
/// are received by the reverse proxy, below the default path, as soon as an issuer or a stream
/// wants any.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ReceiversConfig {
    /// The path below which they are received: `PATH/logout`, and `PATH/events/NAME` for each
    /// stream. No route or upstream can stand in its place. Default `/.portcullis`.
    pub path: Option<String>,
    /// A listener of their own: an address and a port, or `unix:` and the absolute path of a
    /// socket. Default: none, and the reverse proxy receives them.
    pub listen: Option<String>,
    /// TLS of that listener. Without it, only loopback and Unix sockets can be listened on.
    pub tls: Option<DoorTlsConfig>,
    /// Lets that listener take plain HTTP beyond loopback: whoever is on the way can keep events
    /// back, and reads the secrets of streams.
    #[serde(default)]
    pub danger_plain_http: bool,
}

/// `[forward_auth.tls]`, `[ext_authz.tls]` and `[receivers.tls]`, as written. The files are read
/// again when they change.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct DoorTlsConfig {
    /// The certificate chain, in PEM, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key, in PEM.
    pub key: PathBuf,
    /// The lowest version: `1.2` (default) or `1.3`.
    pub minimum: Option<String>,
    /// Certificates of the authorities whose client certificates are demanded, in PEM. Default:
    /// clients are not asked for one.
    pub client_authorities: Option<PathBuf>,
}
