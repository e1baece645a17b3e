//! Bounds in number, size and time, as written.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[gateway.limits]`, as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Most connections of clients at a time, over all doors. Default 10,000. More wait until one
    /// ends.
    pub connections: Option<usize>,
    /// Most connections of one address at a time, an IPv6 network of 64 bits being one address;
    /// more are closed at once. Default: a tenth of `connections`, and no bound on loopback.
    /// `trusted_proxies` are not counted.
    pub connections_per_caller: Option<usize>,
    /// Most requests under way at a time, over all doors, WebSockets and streams included. Default
    /// 4,000. More get 503.
    pub requests: Option<usize>,
    /// Most requests under way of one caller at a time; more get 503. Default: a tenth of
    /// `requests`, and no bound on loopback. An `[[upstream]]` has a bound of its own.
    pub requests_per_caller: Option<usize>,
    /// Most bytes of a request's head. Default 32,768, at least 8,192.
    pub header_bytes: Option<u32>,
    /// Most header fields of a request, and as many trailers. Default 100.
    pub headers: Option<usize>,
    /// Most bytes of a request's body. Default 10,485,760; 0 for no bound. A route can say
    /// otherwise.
    pub body_bytes: Option<u64>,
    /// Fewest bytes a second of a request's body, on average and after the first `timeouts.body`
    /// seconds; slower ones get 408. Default 500; 0 for no bound. The body of a gRPC call has none.
    pub body_rate: Option<u64>,
    /// Most requests at a time on one HTTP/2 connection. Default 100.
    pub streams: Option<u32>,
    /// Most refusals of one caller in a minute; then it gets 429 until some are forgiven, except
    /// with a token that was verified before. Default 300; 0 for no bound. Callers on loopback are
    /// not counted.
    pub failing_callers: Option<u32>,
}

/// `[gateway.timeouts]`, as written. All in seconds.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TimeoutsConfig {
    /// For a TLS handshake and for the head of a request; also how long a connection of HTTP/1.1
    /// may be idle. Default 15.
    pub head: Option<u64>,
    /// For the next piece of a request's body. Default 30.
    pub body: Option<u64>,
    /// For a client to take the next 16 kB of an answer that is there. Default 60.
    pub reader: Option<u64>,
    /// How long a connection of HTTP/2 may be without a request. Default 60.
    pub idle: Option<u64>,
    /// How long a connection takes new requests. Default 3,600, a tenth more or less by chance.
    /// Those under way come to their end.
    pub connection_life: Option<u64>,
    /// How long a WebSocket, an event stream or a gRPC call may go on without a byte in either
    /// direction. Default 300; 0 for no bound.
    pub stream_idle: Option<u64>,
    /// How long one may go on that no token ends, on a public route. Default 14,400; 0 for no
    /// bound.
    pub stream_life: Option<u64>,
    /// How long the rest of a body is read, and dropped, after the answer was given early. Default
    /// 5.
    pub linger: Option<u64>,
    /// For a connection to an upstream. Default 5.
    pub connect: Option<u64>,
    /// For the head of an upstream's answer. Default 60. A route can say otherwise.
    pub response: Option<u64>,
    /// For requests under way when the gateway is stopped. Default 30.
    pub drain: Option<u64>,
    /// How long the gateway takes new requests after it was told to stop, before it drains.
    /// `/ready` answers 503 at once, so that load balancers have time to send requests elsewhere.
    /// Default 0.
    pub stop_delay: Option<u64>,
}
