//! The settings of streams of security events.

use serde::Deserialize;

/// How streams of security events behave (OpenID Shared Signals Framework 1.0).
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct EventSettings {
    /// How long a poll waits for an event at most, in seconds (RFC 8936, section 2.2). Default 30;
    /// with 0 it answers at once.
    pub poll_wait: u32,
    /// The shortest interval between requests for a verification event, in seconds: a request that
    /// comes sooner is answered by 429. Default 0, no limit.
    pub min_verification_interval: u32,
    /// After how many seconds without a request of its client a stream is paused. Default 0, never.
    pub inactivity_timeout: u32,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            poll_wait: 30,
            min_verification_interval: 0,
            inactivity_timeout: 0,
        }
    }
}
