//! Bounds in number, size and time, as written.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[gateway.limits]`, as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Most connections at a time. Default 10,000. More wait until one ends.
    pub connections: Option<usize>,
    /// Most bytes of a request's head. Default 65,536, at least 8,192.
    pub header_bytes: Option<u32>,
    /// Most header fields of a request. Default 100.
    pub headers: Option<usize>,
    /// Most bytes of a request's body. Default 10,485,760; 0 for no bound. A route can say otherwise.
    pub body_bytes: Option<u64>,
    /// Most requests at a time on one HTTP/2 connection. Default 100.
    pub streams: Option<u32>,
    /// Most refusals of one caller in a minute; then it gets 429 until some are forgiven, except with a token that was
    /// verified before. Default 300; 0 for no bound. Callers on loopback are not counted.
    pub failing_callers: Option<u32>,
}

/// `[gateway.timeouts]`, as written. All in seconds.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TimeoutsConfig {
    /// For a TLS handshake and for the head of a request; also how long a connection may be idle. Default 15.
    pub head: Option<u64>,
    /// For the next piece of a request's body. Default 30.
    pub body: Option<u64>,
    /// For a connection to an upstream. Default 5.
    pub connect: Option<u64>,
    /// For the head of an upstream's answer. Default 60. A route can say otherwise.
    pub response: Option<u64>,
    /// For requests under way when the gateway is stopped. Default 30.
    pub drain: Option<u64>,
}
