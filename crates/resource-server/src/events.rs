//! The names of the metrics, spans and log fields of decisions, each once.
//!
//! Counts and times go to the recorder of the `metrics` facade that is installed, or local, when a
//! [`ResourceServer`](crate::ResourceServer) is made; so install it first. Without one they cost
//! next to nothing. Gauges, such as how old keys are, are recorded when
//! [`record_gauges`](crate::ResourceServer::record_gauges) is called, before a scrape.
//!
//! No label holds anything from a token or a request: only codes, outcomes, and names from the
//! settings.

pub use portcullis_provider::keys::meters::{
    KEY_FETCH, KEY_FETCH_FAILURES, KEY_FETCH_SECONDS, KEY_FETCHES, KEYS, KEYS_CONFIRMED,
    KEYS_GOOD_UNTIL, UNKNOWN_KEYS,
};
pub use portcullis_provider::metric::{Metric, MetricKind};

use metrics::{Counter, Histogram};
use portcullis_core::rejection::Code;
use portcullis_core::{Decision, OutageCode};
use std::collections::BTreeMap;
use std::time::Duration;

/// Decisions by outcome and code.
pub const DECISIONS: Metric = Metric::counter(
    "portcullis_decisions_total",
    &["outcome", "code"],
    "Decisions, by outcome (`allow`, `deny`, `fail`) and code; the code of an allow is `ok`.",
);
/// How long decisions took.
pub const DECISION_SECONDS: Metric = Metric::seconds(
    "portcullis_decision_seconds",
    &["outcome"],
    "How long decisions took, waiting for keys included.",
);
/// Lookups in the verified-token cache.
pub const TOKEN_CACHE: Metric = Metric::counter(
    "portcullis_token_cache_lookups_total",
    &["result"],
    "Looks into the verified-token cache: `hit`, or `miss` where the token was verified in full.",
);
/// How many tokens are remembered.
pub const TOKENS_REMEMBERED: Metric = Metric::gauge(
    "portcullis_token_cache_tokens",
    &[],
    "Tokens in the verified-token cache.",
);
/// How many proofs are remembered.
pub const PROOFS_REMEMBERED: Metric = Metric::gauge(
    "portcullis_dpop_proofs_remembered",
    &[],
    "Proofs of DPoP that were used and are remembered; above `dpop.remembered` the answer is 503.",
);
/// How many proofs can be remembered.
pub const PROOFS_ROOM: Metric = Metric::gauge(
    "portcullis_dpop_proofs_capacity",
    &[],
    "How many proofs of DPoP can be remembered: `dpop.remembered`.",
);
/// Proofs by what became of them.
pub const PROOFS: Metric = Metric::counter(
    "portcullis_dpop_proofs_total",
    &["code"],
    "Requests with a token under the scheme `DPoP`, by what became of their proof: `ok`, the code \
        of the refusal, or `outage.replay`.",
);
/// Proofs that only one replica remembers.
pub const PROOFS_UNSHARED: Metric = Metric::counter(
    "portcullis_dpop_unshared_proofs_total",
    &[],
    "Proofs that were accepted while the store was away, so that another replica may accept them \
        too. Only with `dpop.danger_serve_without_store`.",
);
/// Whether the store of used proofs is asked at this moment.
pub const PROOF_STORE_PAUSED: Metric = Metric::gauge(
    "portcullis_dpop_store_breaker_open",
    &[],
    "1 while the store of used proofs is not asked, because it failed, else 0. Only with a store.",
);
/// Verdicts on opaque tokens.
pub const INTROSPECTIONS: Metric = Metric::counter(
    "portcullis_introspections_total",
    &["issuer", "result"],
    "Verdicts on tokens that the issuer is asked about: `remembered`, or `asked`; then `failed` \
        too if it gave no answer.",
);
/// Whether the issuer is asked at this moment.
pub const INTROSPECTION_PAUSED: Metric = Metric::gauge(
    "portcullis_introspection_breaker_open",
    &["issuer"],
    "1 while the issuer is not asked about tokens, because it failed, else 0. Only where \
        introspection is set up.",
);
/// How many revocations there are.
pub const DENYLIST: Metric = Metric::gauge(
    "portcullis_denylist_entries",
    &[],
    "Revocations that are in force or remembered.",
);
/// Whether the revocation store is heard from.
pub const DENYLIST_IN_STEP: Metric = Metric::gauge(
    "portcullis_denylist_in_step",
    &[],
    "1 while the revocation store was loaded and heard from within its grace, else 0. Only with a \
        store.",
);
/// The moment when the revocation store was last heard from.
pub const DENYLIST_CONTACT: Metric = Metric::gauge(
    "portcullis_denylist_last_contact_timestamp_seconds",
    &[],
    "When the revocation store was last heard from, in Unix time; 0 for never. Only with a store.",
);

/// Logouts and security events that came.
pub const EVENTS: Metric = Metric::counter(
    "portcullis_events_total",
    &["receiver", "outcome"],
    "Logouts (`logout`) and security events (the name of the stream) that came, by what became of \
        them: `applied`, `repeated`, `ignored`, `unmapped`, `refused` or `failed`.",
);
/// The moment of the last event of a stream.
pub const EVENT_LAST: Metric = Metric::gauge(
    "portcullis_event_last_timestamp_seconds",
    &["stream"],
    "When the last event of the stream came to this replica, in Unix time; its start before the \
        first.",
);
/// Whether a stream sends.
pub const EVENT_STREAM_ENABLED: Metric = Metric::gauge(
    "portcullis_event_stream_enabled",
    &["stream"],
    "0 after the transmitter said that the stream is paused or disabled, else 1.",
);
/// Whether verification events come.
pub const EVENT_STREAM_VERIFIED: Metric = Metric::gauge(
    "portcullis_event_stream_verified",
    &["stream"],
    "0 after a verification event that this replica asked for did not come within ten minutes, \
        else 1. Only with the stream's `stream_id`.",
);
/// Whether a stream fell silent.
pub const EVENT_STREAM_SILENT: Metric = Metric::gauge(
    "portcullis_event_stream_silent",
    &["stream"],
    "1 while no event came for longer than the stream's `silent_after`, else 0. Only where that is \
        set.",
);

/// Every metric of the resource server.
pub const METRICS: &[Metric] = &[
    DECISIONS,
    DECISION_SECONDS,
    TOKEN_CACHE,
    TOKENS_REMEMBERED,
    PROOFS,
    PROOFS_REMEMBERED,
    PROOFS_ROOM,
    PROOFS_UNSHARED,
    PROOF_STORE_PAUSED,
    KEY_FETCHES,
    KEY_FETCH_SECONDS,
    UNKNOWN_KEYS,
    KEYS,
    KEYS_CONFIRMED,
    KEYS_GOOD_UNTIL,
    KEY_FETCH_FAILURES,
    INTROSPECTIONS,
    INTROSPECTION_PAUSED,
    DENYLIST,
    DENYLIST_IN_STEP,
    DENYLIST_CONTACT,
    EVENTS,
    EVENT_LAST,
    EVENT_STREAM_ENABLED,
    EVENT_STREAM_VERIFIED,
    EVENT_STREAM_SILENT,
];

/// The span of one decision, level debug: fields `outcome` and `code`.
pub const DECIDE: &str = "portcullis.decide";
/// The span of one question about a token, level debug: field `issuer`.
pub const INTROSPECT: &str = "portcullis.introspect";

/// The spans of the resource server, and the meaning of each.
pub const SPANS: &[(&str, &str)] = &[
    (
        DECIDE,
        "one decision: fields `outcome` and `code`; within it the wait for a key, if there is one",
    ),
    (
        KEY_FETCH,
        "one fetch of an issuer's metadata and keys, in the background: field `issuer`",
    ),
    (
        INTROSPECT,
        "one question to an issuer about a token: field `issuer`",
    ),
];

/// The fields of the resource server's log lines, and what each holds. Foreign text is escaped and
/// cut.
pub const FIELDS: &[(&str, &str)] = &[
    (
        "code",
        "the stable code of a refusal or an outage: see `rejections.md`",
    ),
    (
        "code_url",
        "the page of the code, where `code_url` of the settings says where that is",
    ),
    (
        "facts",
        "what was expected and what was found; never a token",
    ),
    (
        "request_id",
        "what the request is called, as in the answer's `x-request-id`",
    ),
    (
        "outcome",
        "`allow`, `deny` or `fail`; of an event what became of it, as in `portcullis_events_total`",
    ),
    ("issuer", "an issuer, as configured"),
    ("reason", "why something failed, in words"),
    (
        "failures",
        "how many attempts failed since the first one of an outage",
    ),
    (
        "denied",
        "how many requests were answered 503 because of an outage",
    ),
    (
        "subject",
        "the caller of a refused request, if the token was verified; by `log.audit_subject`",
    ),
    ("client", "the client that the verified token was issued to"),
    (
        "required",
        "the scopes, roles, groups and the like that a route demands, by name",
    ),
    ("present", "what the verified token has of the same kinds"),
    ("keys", "how many keys there are"),
    ("skipped", "how many keys of a document cannot be used"),
    ("index", "the place of a key in its document, from 0"),
    ("kid", "the name of a key, as published"),
    ("path", "a file"),
    ("from", "the address before"),
    ("to", "the address now"),
    (
        "grace",
        "for how long decisions go on without the revocation store",
    ),
    ("entries", "how many entries of the revocation store"),
    ("id", "the place of an entry in the revocation store"),
    (
        "receiver",
        "where a logout or an event came to: `logout`, or the name of a stream",
    ),
    ("stream", "a stream of security events, by its name"),
    (
        "event",
        "the name of an event; `unknown` for one that is not known, `none` where nothing could be \
         read",
    ),
    ("jti", "the identifier of an event's token, escaped and cut"),
    (
        "marks",
        "under which marks tokens are refused since: kinds and digests",
    ),
    ("error", "what the operating system or a library said"),
];

/// The meters for decisions.
pub(crate) struct DecisionMeters {
    allowed: Meter,
    denied: BTreeMap<Code, Counter>,
    denied_seconds: Histogram,
    failed: Vec<(OutageCode, Counter)>,
    failed_seconds: Histogram,
    hits: Counter,
    misses: Counter,
}

struct Meter {
    count: Counter,
    seconds: Histogram,
}

impl DecisionMeters {
    /// Meters at the recorder that is installed at this moment. Every code begins at zero, so that
    /// its first occurrence shows as growth.
    pub(crate) fn new() -> Self {
        metrics::with_recorder(|recorder| {
            // A counter that appears with its first increment has no rate before the second.
            let mut denied = BTreeMap::new();
            for code in Code::ALL {
                let counter = DECISIONS.count(recorder, &["deny", code.entry().code]);
                denied.insert(*code, counter);
            }
            let mut failed = Vec::new();
            for code in OutageCode::ALL {
                failed.push((*code, DECISIONS.count(recorder, &["fail", code.as_str()])));
            }
            Self {
                allowed: Meter {
                    count: DECISIONS.count(recorder, &["allow", "ok"]),
                    seconds: DECISION_SECONDS.times(recorder, &["allow"]),
                },
                denied,
                denied_seconds: DECISION_SECONDS.times(recorder, &["deny"]),
                failed,
                failed_seconds: DECISION_SECONDS.times(recorder, &["fail"]),
                hits: TOKEN_CACHE.count(recorder, &["hit"]),
                misses: TOKEN_CACHE.count(recorder, &["miss"]),
            }
        })
    }

    pub(crate) fn count_decision(&self, decision: &Decision, took: Duration) {
        // The counters are held ready: looking one up by its labels would allocate.
        let (count, seconds) = match decision {
            Decision::Allow(_) => (Some(&self.allowed.count), &self.allowed.seconds),
            Decision::Deny(rejection) => (self.denied.get(&rejection.code()), &self.denied_seconds),
            Decision::Fail(outage) => (self.failure_counter(outage.code()), &self.failed_seconds),
        };
        if let Some(count) = count {
            count.increment(1);
        }
        seconds.record(took.as_secs_f64());
    }

    fn failure_counter(&self, wanted: OutageCode) -> Option<&Counter> {
        for (code, counter) in &self.failed {
            if *code == wanted {
                return Some(counter);
            }
        }
        None
    }

    pub(crate) fn count_lookup(&self, hit: bool) {
        if hit { &self.hits } else { &self.misses }.increment(1);
    }
}

/// The outcome and the code of a decision, as metrics, spans and logs name them.
pub fn outcome(decision: &Decision) -> (&'static str, &'static str) {
    match decision {
        Decision::Allow(_) => ("allow", "ok"),
        Decision::Deny(rejection) => ("deny", rejection.code().entry().code),
        Decision::Fail(outage) => ("fail", outage.code().as_str()),
    }
}

/// The meters for the requests about tokens.
#[derive(Clone)]
pub(crate) struct IntrospectionMeters {
    pub(crate) asked: Counter,
    pub(crate) failed: Counter,
    pub(crate) remembered: Counter,
}

impl IntrospectionMeters {
    pub(crate) fn new(issuer: &str) -> Self {
        metrics::with_recorder(|recorder| Self {
            asked: INTROSPECTIONS.count(recorder, &[issuer, "asked"]),
            failed: INTROSPECTIONS.count(recorder, &[issuer, "failed"]),
            remembered: INTROSPECTIONS.count(recorder, &[issuer, "remembered"]),
        })
    }
}
