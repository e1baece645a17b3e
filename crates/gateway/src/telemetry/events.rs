//! The names of what the gateway tells beyond its resource server: metrics, spans and log fields,
//! each once.

use portcullis_resource_server::events::Metric;

/// Requests by route and status.
pub const REQUESTS: Metric = Metric::counter(
    "portcullis_gateway_requests_total",
    &["route", "status"],
    "Requests by route and status of the answer; the route is `none` where none was looked for.",
);
/// How long answers took.
pub const REQUEST_SECONDS: Metric = Metric::seconds(
    "portcullis_gateway_request_seconds",
    &["route"],
    "From the head of a request to the head of its answer.",
);
/// How long upstreams took.
pub const UPSTREAM_SECONDS: Metric = Metric::seconds(
    "portcullis_gateway_upstream_seconds",
    &["upstream"],
    "From a request sent to the head of the upstream's answer, tries included.",
);
/// Requests that an upstream did not answer.
pub const UPSTREAM_FAILURES: Metric = Metric::counter(
    "portcullis_gateway_upstream_failures_total",
    &["upstream"],
    "Requests that no server of the upstream answered.",
);
/// Whether a server is well.
pub const UPSTREAM_UP: Metric = Metric::gauge(
    "portcullis_gateway_upstream_up",
    &["upstream", "server"],
    "1 while the server takes connections and its probes go well, else 0.",
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
    "Open connections of clients.",
);
/// Connections that were closed for a bound.
pub const CLOSED_CONNECTIONS: Metric = Metric::counter(
    "portcullis_gateway_closed_connections_total",
    &["cause"],
    "Connections that were closed: `caller`, more of one address than `connections_per_caller`; \
        `abuse`, most requests taken back.",
);
/// Requests that were refused for a bound.
pub const OUT_OF_BOUNDS: Metric = Metric::counter(
    "portcullis_gateway_out_of_bounds_requests_total",
    &["bound"],
    "Requests that were refused: with 503 for want of a place (`requests`, `caller`, `upstream`), \
        with 431 for their `fields`, with 408 for a slow `body`.",
);
/// Streams that were ended before their time.
pub const ENDED_STREAMS: Metric = Metric::counter(
    "portcullis_gateway_ended_streams_total",
    &["cause"],
    "Answers and streams that were ended: `reader`, nobody took what was there; `idle`, nothing \
        was sent; `life`, no token ends it.",
);
/// Requests under way.
pub const UNDER_WAY: Metric = Metric::gauge(
    "portcullis_gateway_requests_under_way",
    &[],
    "Requests under way, until their answer was taken; WebSockets and streams included.",
);
/// The bounds in force.
pub const BOUND: Metric = Metric::gauge(
    "portcullis_gateway_bound",
    &["bound"],
    "Most `connections`, `requests` and open `descriptors` at a time, as in force.",
);
/// Open descriptors.
pub const DESCRIPTORS: Metric = Metric::gauge(
    "portcullis_gateway_descriptors",
    &[],
    "Open descriptors of the process: sockets and files. Only on Linux.",
);
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
    "1 while the file on disk is not the one in use because it cannot be used, else 0.",
);
/// When the certificate expires.
pub const CERTIFICATE_EXPIRY: Metric = Metric::gauge(
    "portcullis_gateway_certificate_expiry_timestamp_seconds",
    &[],
    "When the first certificate of the chain in use expires, in Unix time.",
);
/// Requests that were not looked at.
pub const LIMITED: Metric = Metric::counter(
    "portcullis_gateway_limited_requests_total",
    &[],
    "Requests that got 429 before any verification, from callers who keep failing.",
);
/// Callers with failures.
pub const FAILING_CALLERS: Metric = Metric::gauge(
    "portcullis_gateway_failing_callers",
    &[],
    "Callers whose failures are remembered, limited or not.",
);
/// Lost audit records.
pub const AUDIT_DROPPED: Metric = Metric::counter(
    "portcullis_gateway_audit_records_dropped_total",
    &[],
    "Audit records that were lost because nobody took them in time, or could not be written.",
);
/// Policies that could not be evaluated.
pub const POLICY_FAILURES: Metric = Metric::counter(
    "portcullis_gateway_policy_failures_total",
    &[],
    "Evaluations of a Cedar policy that failed; the log names the policy.",
);
/// Whether it is ready.
pub const READY: Metric = Metric::gauge(
    "portcullis_gateway_ready",
    &[],
    "1 while there are keys of every issuer, and no stop is under way, else 0.",
);

/// Every metric of the gateway.
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

/// The span of one request, level debug.
pub const REQUEST: &str = "portcullis.request";
/// The span of one request to an upstream, level debug.
pub const UPSTREAM: &str = "portcullis.upstream";

/// The spans of the gateway, and what each is about.
pub const SPANS: &[(&str, &str)] = &[
    (
        REQUEST,
        "one request until the head of its answer: fields `request_id`, `trace_id`, `method`, \
            `route`, `status`",
    ),
    (
        UPSTREAM,
        "one request to an upstream until the head of its answer: fields `upstream`, `request_id`",
    ),
];

/// The fields of the gateway's log lines, and what each holds.
pub const FIELDS: &[(&str, &str)] = &[
    (
        "trace_id",
        "the trace that the caller named in `traceparent`, or the gateway began (W3C Trace \
            Context)",
    ),
    ("method", "the method of the request"),
    (
        "route",
        "the route that decided, by its name, or its place in the settings and its path",
    ),
    ("status", "the status of the answer"),
    ("upstream", "the name of an upstream"),
    ("server", "a server of an upstream"),
    ("address", "an address that is listened on"),
    ("admin", "the address for probes and metrics"),
    ("setting", "the name of a setting"),
    (
        "errors",
        "faults of the settings, each with its place and cure",
    ),
    ("cause", "why a stream is ended"),
    ("cure", "what the operator can do"),
    ("dropped", "how many audit records were lost"),
    (
        "policy",
        "a Cedar policy, by its `@id`, or its file and line",
    ),
];
