//! The state of the requests to an issuer about tokens.

use portcullis_provider::breaker::BreakerState;

/// The state of the requests to an issuer about tokens: for readiness, logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntrospectionStatus {
    /// How many requests went out.
    pub questions: u64,
    /// How many callers were answered from memory, or by a request that was under way.
    pub remembered: u64,
    /// Whether the issuer is asked at this moment.
    pub breaker: BreakerState,
    /// Why the last request had no proper answer; `None` if it had one.
    pub last_failure: Option<String>,
}
