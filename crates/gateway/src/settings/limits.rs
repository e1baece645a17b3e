//! Bounds in number, size and time, from as written to as meant.

use super::scalar::{at_least_one, seconds, seconds_or_never};
use crate::config::{LimitsConfig, TimeoutsConfig};
use portcullis_core::Faults;
use std::time::Duration;

/// Bounds on connections and their requests. Fixed at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LimitSettings {
    pub(crate) connections: usize,
    /// `None` for a tenth of all.
    pub(crate) connections_per_caller: Option<usize>,
    pub(crate) requests: usize,
    /// `None` for a tenth of all.
    pub(crate) requests_per_caller: Option<usize>,
    pub(crate) header_bytes: u32,
    pub(crate) headers: usize,
    pub(crate) streams: u32,
    pub(crate) head_timeout: Duration,
    pub(crate) reader_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) connection_life: Duration,
    pub(crate) linger: Duration,
    pub(crate) drain_timeout: Duration,
    /// How long the gateway serves on after it was told to stop.
    pub(crate) stop_delay: Duration,
}

/// Bounds on bodies and streams. A reload changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamSettings {
    /// The timeout for the next piece of a request's body.
    pub(crate) body_timeout: Duration,
    /// The least rate of a body in bytes a second; 0 for no bound.
    pub(crate) body_rate: u64,
    /// The longest silence of a stream.
    pub(crate) idle: Option<Duration>,
    /// The longest life of a stream that no token ends.
    pub(crate) life: Option<Duration>,
}

impl LimitSettings {
    /// `faults` are those of `[gateway]`.
    pub(super) fn read(limits: &LimitsConfig, timeouts: &TimeoutsConfig, faults: &Faults) -> Self {
        check(limits, &faults.at("limits"));
        let faults = &faults.at("timeouts");
        Self {
            connections: limits.connections.unwrap_or(10_000),
            connections_per_caller: limits.connections_per_caller,
            requests: limits.requests.unwrap_or(4_000),
            requests_per_caller: limits.requests_per_caller,
            header_bytes: limits.header_bytes.unwrap_or(32_768),
            headers: limits.headers.unwrap_or(100),
            streams: limits.streams.unwrap_or(100),
            head_timeout: seconds("head", timeouts.head, 15, faults),
            reader_timeout: seconds("reader", timeouts.reader, 60, faults),
            idle_timeout: seconds("idle", timeouts.idle, 60, faults),
            connection_life: seconds("connection_life", timeouts.connection_life, 3_600, faults),
            linger: seconds("linger", timeouts.linger, 5, faults),
            drain_timeout: seconds("drain", timeouts.drain, 30, faults),
            stop_delay: stop_delay(timeouts.stop_delay, faults),
        }
    }
}

fn stop_delay(written: Option<u64>, faults: &Faults) -> Duration {
    let seconds = written.unwrap_or(0);
    // A supervisor kills a process that seems not to stop.
    if seconds > MOST_STOP_DELAY {
        faults
            .expected("stop_delay", format!("at most {MOST_STOP_DELAY} seconds"))
            .found(seconds)
            .help("write as many seconds as your load balancer needs to notice, such as 5");
    }
    Duration::from_secs(seconds)
}

const MOST_STOP_DELAY: u64 = 3_600;

fn check(limits: &LimitsConfig, faults: &Faults) {
    // hyper refuses to start with a smaller buffer.
    if let Some(bytes) = limits.header_bytes
        && !(8_192..=1_048_576).contains(&bytes)
    {
        faults
            .expected("header_bytes", "8,192 to 1,048,576")
            .found(bytes)
            .help("leave it out, or write 32768");
    }
    // Zero means no bound elsewhere; here it would refuse everything.
    for (member, written) in [
        ("connections", limits.connections),
        ("connections_per_caller", limits.connections_per_caller),
        ("requests", limits.requests),
        ("requests_per_caller", limits.requests_per_caller),
        ("headers", limits.headers),
    ] {
        at_least_one(member, written.map(|number| number as u64), faults);
    }
    at_least_one("streams", limits.streams.map(u64::from), faults);
}

impl StreamSettings {
    /// `faults` are those of `[gateway]`.
    pub(super) fn read(limits: &LimitsConfig, timeouts: &TimeoutsConfig, faults: &Faults) -> Self {
        let faults = &faults.at("timeouts");
        Self {
            body_timeout: seconds("body", timeouts.body, 30, faults),
            body_rate: limits.body_rate.unwrap_or(500),
            idle: seconds_or_never("stream_idle", timeouts.stream_idle, 300, faults),
            life: seconds_or_never("stream_life", timeouts.stream_life, 14_400, faults),
        }
    }
}
