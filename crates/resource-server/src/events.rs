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

/// Every metric of the resource server.
pub const METRICS: &[Metric] = &[
    DECISIONS,
    DECISION_SECONDS,
    TOKEN_CACHE,
    TOKENS_REMEMBERED,
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
        "facts",
        "what was expected and what was found; never a token",
    ),
    (
        "request_id",
        "what the request is called, as in the answer's `x-request-id`",
    ),
    ("outcome", "`allow`, `deny` or `fail`"),
    ("issuer", "an issuer, as configured"),
    ("reason", "why something failed, in words"),
    ("failures", "how many fetches failed in a row"),
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
