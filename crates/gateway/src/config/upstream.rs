//! The servers behind the gateway, as written.

use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;

/// `[[upstream]]`, as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// What routes call it.
    pub name: String,
    /// The servers, `http://` or `https://` with host and port. A path, the same for all, comes
    /// before the path of every request. The server with the fewest requests under way gets the
    /// next.
    pub servers: Vec<String>,
    /// `http1` (default), or `http2`, without TLS as well, as gRPC servers want it. WebSockets take
    /// `http1`.
    pub protocol: Option<String>,
    /// Which host the servers see, in `Host` or over HTTP/2 in `:authority`: `client` (default),
    /// the one that was asked for, or `upstream`, their own; `X-Forwarded-Host` says what was asked
    /// for.
    pub host: Option<String>,
    /// Whether a safe request whose connection ended without an answer is sent once more. Default
    /// true.
    pub retry: Option<bool>,
    /// How many fields an answer may have. Default 100.
    pub headers: Option<usize>,
    /// How large the head of an answer may be, in bytes. Default 65536.
    pub header_bytes: Option<u32>,
    /// Certificates of the authorities to trust, in PEM. Default: the system's.
    pub authorities: Option<PathBuf>,
    /// Most requests under way at a time, over all of its servers; more get 503. Default: half of
    /// `gateway.limits.requests`.
    pub requests: Option<usize>,
    /// How to see whether a server is well. Default: by its failing connections alone.
    pub health: Option<HealthConfig>,
}

/// `[upstream.health]`, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// The path to ask for, from the root of the server on; 2xx and 3xx mean well.
    pub path: String,
    /// How often, in seconds. Default 10.
    pub interval: Option<u64>,
    /// How long an answer may take, in seconds. Default 3.
    pub timeout: Option<u64>,
}
