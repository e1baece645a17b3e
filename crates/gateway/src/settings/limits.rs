//! Bounds in number, size and time, from as written to as meant.

use super::faults::Faults;
use super::{HUNDRED_YEARS, seconds};
use crate::config::{LimitsConfig, TimeoutsConfig};
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
    pub(super) fn read(
        limits: &LimitsConfig,
        timeouts: &TimeoutsConfig,
        faults: &mut Faults,
    ) -> Self {
        let LimitsConfig {
            connections,
            header_bytes,
            headers,
            streams,
            requests,
            ..
        } = *limits;
        let LimitsConfig {
            connections_per_caller,
            requests_per_caller,
            ..
        } = *limits;
        if header_bytes.is_some_and(|bytes| !(8_192..=1_048_576).contains(&bytes)) {
            let place = "gateway.limits.header_bytes";
            faults.add(place, "8,192 to 1,048,576", "leave it out, or write 32768");
        }
        for (name, zero) in [
            ("connections", connections == Some(0)),
            ("connections_per_caller", connections_per_caller == Some(0)),
            ("requests", requests == Some(0)),
            ("requests_per_caller", requests_per_caller == Some(0)),
            ("headers", headers == Some(0)),
            ("streams", streams == Some(0)),
        ] {
            if zero {
                let place = format!("gateway.limits.{name}");
                faults.add(place, "at least 1", "leave it out for the default");
            }
        }
        Self {
            connections: connections.unwrap_or(10_000),
            connections_per_caller,
            requests: requests.unwrap_or(4_000),
            requests_per_caller,
            header_bytes: header_bytes.unwrap_or(32_768),
            headers: headers.unwrap_or(100),
            streams: streams.unwrap_or(100),
            head_timeout: seconds(timeouts.head, 15, "gateway.timeouts.head", faults),
            reader_timeout: seconds(timeouts.reader, 60, "gateway.timeouts.reader", faults),
            idle_timeout: seconds(timeouts.idle, 60, "gateway.timeouts.idle", faults),
            connection_life: seconds(
                timeouts.connection_life,
                3_600,
                "gateway.timeouts.connection_life",
                faults,
            ),
            linger: seconds(timeouts.linger, 5, "gateway.timeouts.linger", faults),
            drain_timeout: seconds(timeouts.drain, 30, "gateway.timeouts.drain", faults),
        }
    }
}

impl StreamSettings {
    pub(super) fn read(
        limits: &LimitsConfig,
        timeouts: &TimeoutsConfig,
        faults: &mut Faults,
    ) -> Self {
        let mut or_never = |written: Option<u64>, default, place| {
            if written.is_some_and(|seconds| seconds > HUNDRED_YEARS) {
                faults.add(
                    place,
                    "a number of seconds, or 0 for no bound",
                    "leave it out for the default",
                );
            }
            let seconds = written.unwrap_or(default);
            (seconds > 0).then(|| Duration::from_secs(seconds))
        };
        let idle = or_never(timeouts.stream_idle, 300, "gateway.timeouts.stream_idle");
        let life = or_never(timeouts.stream_life, 14_400, "gateway.timeouts.stream_life");
        Self {
            body_timeout: seconds(timeouts.body, 30, "gateway.timeouts.body", faults),
            body_rate: limits.body_rate.unwrap_or(500),
            idle,
            life,
        }
    }
}
