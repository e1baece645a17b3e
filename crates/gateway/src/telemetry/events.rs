//! The names of the gateway's metrics, spans and log fields, beyond those of its resource server.
//!
//! Dashboards and alerts depend on these names, so a change of one is a breaking change.

use portcullis_resource_server::events::Metric;

/// Requests by route and status.
pub const REQUESTS: Metric = Metric::counter(
    "portcullis_gateway_requests_total",
    &["route", "status"],
    "Requests by route and status of the response; the route is `none` if none was looked up.",
);
/// The time to each response.
pub const REQUEST_SECONDS: Metric = Metric::seconds(
    "portcullis_gateway_request_seconds",
    &["route"],
    "From the head of a request to the head of its response.",
);
/// The time that upstreams took.
pub const UPSTREAM_SECONDS: Metric = Metric::seconds(
    "portcullis_gateway_upstream_seconds",
    &["upstream"],
    "From sending a request to the head of the upstream's response, retries included.",
);
/// Requests that an upstream did not answer.
pub const UPSTREAM_FAILURES: Metric = Metric::counter(
    "portcullis_gateway_upstream_failures_total",
    &["upstream"],
    "Requests that no server of the upstream answered.",
);
/// Whether a server is healthy.
pub const UPSTREAM_UP: Metric = Metric::gauge(
    "portcullis_gateway_upstream_up",
    &["upstream", "server"],
    "1 while the server takes connections and its probes succeed, else 0.",
);
/// Requests under way at a server.
pub const UPSTREAM_UNDER_WAY: Metric = Metric::gauge(
    "portcullis_gateway_upstream_requests_under_way",
    &["upstream", "server"],
    "Requests under way at the server.",
);
/// Open connections.
pub const CONNECTIONS: Metric = Metric::gauge(
    "portcullis_gateway_connections",
    &[],
    "Open client connections.",
);
/// Connections that were closed for a bound.
pub const CLOSED_CONNECTIONS: Metric = Metric::counter(
    "portcullis_gateway_closed_connections_total",
    &["cause"],
    "Connections that were closed: `caller`, more than `connections_per_caller` of one address; \
        `abuse`, most requests cancelled.",
);
/// Requests that were refused for a bound.
pub const OUT_OF_BOUNDS: Metric = Metric::counter(
    "portcullis_gateway_out_of_bounds_requests_total",
    &["bound"],
    "Requests that were refused: with 503 at a limit (`requests`, `caller`, `upstream`), with 431 \
        for their `fields`, with 408 for a slow `body`.",
);
/// Streams that were ended early.
pub const ENDED_STREAMS: Metric = Metric::counter(
    "portcullis_gateway_ended_streams_total",
    &["cause"],
    "Responses and streams that were ended: `reader`, the client stopped reading; `idle`, nothing \
        was sent; `life`, a stream without a token reached its maximum age.",
);
/// Requests under way.
pub const UNDER_WAY: Metric = Metric::gauge(
    "portcullis_gateway_requests_under_way",
    &[],
    "Requests under way, until the client has read the response; WebSockets and streams included.",
);
/// The bounds in force.
pub const BOUND: Metric = Metric::gauge(
    "portcullis_gateway_bound",
    &["bound"],
    "The limits in force on `connections`, `requests` and open `descriptors` at a time.",
);
/// Open descriptors.
pub const DESCRIPTORS: Metric = Metric::gauge(
    "portcullis_gateway_descriptors",
    &[],
    "Open file descriptors of the process: sockets and files. Only on Linux.",
);
// An alert needs both: the counter shows that a reload failed, the gauge that it still matters.
/// Reloads of files.
pub const RELOADS: Metric = Metric::counter(
    "portcullis_gateway_reloads_total",
    &["what", "outcome"],
    "Reloads of `settings` and `certificates`, by outcome (`ok`, `failed`).",
);
/// Whether the last reload failed.
pub const RELOAD_FAILED: Metric = Metric::gauge(
    "portcullis_gateway_reload_failed",
    &["what"],
    "1 while the file on disk cannot be used and an older one is in use, else 0.",
);
/// The expiry of the certificate.
pub const CERTIFICATE_EXPIRY: Metric = Metric::gauge(
    "portcullis_gateway_certificate_expiry_timestamp_seconds",
    &[],
    "When the first certificate of the chain in use expires, in Unix time.",
);
/// Requests that were refused before verification.
pub const LIMITED: Metric = Metric::counter(
    "portcullis_gateway_limited_requests_total",
    &[],
    "Requests that got 429 before any verification, from callers with repeated failures.",
);
/// Callers with failures.
pub const FAILING_CALLERS: Metric = Metric::gauge(
    "portcullis_gateway_failing_callers",
    &[],
    "Callers with recent failures, limited or not.",
);
/// Lost audit records.
pub const AUDIT_DROPPED: Metric = Metric::counter(
    "portcullis_gateway_audit_records_dropped_total",
    &[],
    "Audit records that were lost: the destination did not keep up, or could not be written.",
);
/// Policies that could not be evaluated.
pub const POLICY_FAILURES: Metric = Metric::counter(
    "portcullis_gateway_policy_failures_total",
    &[],
    "Evaluations of a Cedar policy that failed; the log names the policy.",
);
/// Whether the gateway is ready.
pub const READY: Metric = Metric::gauge(
    "portcullis_gateway_ready",
    &[],
    "1 while the keys of every issuer are loaded and the gateway is not stopping, else 0.",
);

/// Every metric of the gateway, in the order of the documents.
pub const METRICS: &[Metric] = &[
    REQUESTS,
    REQUEST_SECONDS,
    UPSTREAM_SECONDS,
    UPSTREAM_FAILURES,
    UPSTREAM_UP,
    UPSTREAM_UNDER_WAY,
    CONNECTIONS,
    CLOSED_CONNECTIONS,
    OUT_OF_BOUNDS,
    ENDED_STREAMS,
    UNDER_WAY,
    BOUND,
    DESCRIPTORS,
    RELOADS,
    RELOAD_FAILED,
    CERTIFICATE_EXPIRY,
    LIMITED,
    FAILING_CALLERS,
    AUDIT_DROPPED,
    POLICY_FAILURES,
    READY,
];

// Spans are at level debug: at level info each request would pay for fields that few collect.
/// The span of one request, level debug.
pub const REQUEST: &str = "portcullis.request";
/// The span of one request to an upstream, level debug.
pub const UPSTREAM: &str = "portcullis.upstream";

/// The spans of the gateway, and what each covers.
pub const SPANS: &[(&str, &str)] = &[
    (
        REQUEST,
        "one request until the head of its response: fields `request_id`, `trace_id`, `method`, \
            `route`, `status`",
    ),
    (
        UPSTREAM,
        "one request to an upstream until the head of its response: fields `upstream`, \
            `request_id`",
    ),
];

// No field holds a token, a secret or a query: logs go further than the traffic does.
/// The fields of the gateway's log lines, and what each holds.
pub const FIELDS: &[(&str, &str)] = &[
    (
        "trace_id",
        "the trace from the request's `traceparent`, or one that the gateway began (W3C Trace \
            Context)",
    ),
    ("method", "the method of the request"),
    (
        "route",
        "the route that decided, by its name, or its place in the settings and its path",
    ),
    ("status", "the status of the response"),
    ("upstream", "the name of an upstream"),
    ("server", "a server of an upstream"),
    ("address", "an address that the gateway listens on"),
    ("admin", "the address for probes and metrics"),
    ("setting", "the name of a setting"),
    (
        "errors",
        "faults in the settings, each with its place and cure",
    ),
    ("cause", "why a stream was ended"),
    ("cure", "what the operator can do"),
    ("dropped", "how many audit records were lost"),
    (
        "policy",
        "a Cedar policy, by its `@id`, or its file and line",
    ),
];
