//! The bounds in force: as written in the settings, or lower if the process has too few file
//! descriptors.
//!
//! A client connection takes one descriptor, and a request under way another one for its upstream.
//! A process without descriptors accepts no probes either, so the bounds are lowered until they
//! fit.

use crate::settings::{LimitSettings, Settings};
use crate::telemetry::events;
use crate::transport::slots::{CallerSlots, Slots};
use metrics::Recorder;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fmt;
use std::sync::Arc;

/// Descriptors for probes, key fetches, files and listeners.
const RESERVE: u64 = 128;
/// Connections for probes, out of the reserve.
pub(crate) const MOST_PROBES: usize = 64;
/// Idle connections to one server.
const MOST_IDLE: u64 = 256;

/// The bounds in force, and how much of them is taken.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) connections: usize,
    pub(crate) caller_connections: Arc<CallerSlots>,
    pub(crate) requests: Arc<Slots>,
    pub(crate) caller_requests: Arc<CallerSlots>,
    /// Rests of bodies that are read after an early response.
    pub(crate) rests: Arc<Slots>,
}

/// The process has fewer descriptors than the bounds can need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DescriptorShortage {
    needed: u64,
    allowed: u64,
    connections: usize,
    requests: usize,
}

/// The soft and the hard limit of descriptors.
pub(crate) fn descriptors() -> (u64, u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    (current.unwrap_or(u64::MAX), maximum.unwrap_or(u64::MAX))
}

/// Raises the soft limit of descriptors to the hard one if possible; the soft limit afterwards.
pub(crate) fn raise_descriptors() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    // A failure costs nothing here: the bounds are made to fit the limit as it is.
    if current != maximum && setrlimit(Resource::Nofile, raised).is_err() {
        tracing::debug!("cannot raise the limit of open files");
    }
    descriptors().0
}

impl Bounds {
    /// The bounds for this many servers and descriptors.
    pub(crate) fn new(
        limits: &LimitSettings,
        servers: usize,
        descriptors: u64,
    ) -> (Self, Option<DescriptorShortage>) {
        let shortage = shortage(limits, servers, descriptors);
        let (connections, requests) = match &shortage {
            Some(shortage) => (shortage.connections, shortage.requests),
            None => (limits.connections, limits.requests),
        };
        let bounds = Self {
            connections,
            caller_connections: caller_slots(limits.connections_per_caller, connections),
            requests: Slots::new(requests),
            caller_requests: caller_slots(limits.requests_per_caller, requests),
            rests: Slots::new(requests),
        };
        (bounds, shortage)
    }

    /// Records the gauges.
    pub(crate) fn record(&self, recorder: &dyn Recorder) {
        events::UNDER_WAY.set(recorder, &[], self.requests.in_use() as f64);
        events::BOUND.set(recorder, &["connections"], self.connections as f64);
        events::BOUND.set(recorder, &["requests"], self.requests.most() as f64);
        events::BOUND.set(recorder, &["descriptors"], descriptors().0 as f64);
        // Linux only; elsewhere the gauge is absent.
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            events::DESCRIPTORS.set(recorder, &[], open.count() as f64);
        }
    }

    /// Gives upstreams without a bound half of all requests, so that one alone cannot take all.
    pub(crate) fn bound_upstreams(&self, settings: &mut Settings) {
        let half = (self.requests.most() / 2).max(1);
        for upstream in &mut settings.upstreams {
            upstream.requests.get_or_insert(half);
        }
    }
}

/// A tenth of all for each caller, unless the settings write a bound.
fn caller_slots(written: Option<usize>, all: usize) -> Arc<CallerSlots> {
    let most = written.unwrap_or(all / 10).clamp(1, all);
    // The default spares loopback: a proxy on this machine speaks for many clients.
    CallerSlots::new(most, written.is_some())
}

fn shortage(
    limits: &LimitSettings,
    servers: usize,
    descriptors: u64,
) -> Option<DescriptorShortage> {
    let servers = u64::try_from(servers).unwrap_or(u64::MAX);
    let (connections, requests) = (limits.connections as u64, limits.requests as u64);
    // An idle connection is used before another one is opened. So a single server never needs
    // more descriptors than there are requests.
    let idle = MOST_IDLE.saturating_mul(servers.saturating_sub(1));
    let sum = connections.saturating_add(requests);
    let needed = sum.saturating_add(idle).saturating_add(RESERVE);
    if needed <= descriptors {
        return None;
    }
    let room = descriptors
        .saturating_sub(RESERVE)
        .saturating_sub(idle.min(descriptors / 4))
        .max(16);
    Some(DescriptorShortage {
        needed,
        allowed: descriptors,
        connections: share(room, connections, sum).min(limits.connections),
        requests: share(room, requests, sum).min(limits.requests),
    })
}

/// The share of the room that a part of the sum gets: in proportion, and at least four.
fn share(room: u64, part: u64, sum: u64) -> usize {
    let share = u128::from(room) * u128::from(part) / u128::from(sum.max(1));
    usize::try_from(share).unwrap_or(usize::MAX).max(4)
}

impl Settings {
    /// Warnings about these settings on this machine, such as too few descriptors for the bounds.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for warning in self
            .resource_server
            .warnings()
            .iter()
            .chain(&self.warnings)
        {
            let (place, help) = (warning.place(), warning.help());
            warnings.push(format!("{place}: {}; {help}", warning.message()));
        }
        let (limits, servers) = (&self.listeners.limits, self.count_servers());
        if let Some(shortage) = shortage(limits, servers, descriptors().1) {
            warnings.push(shortage.to_string());
        }
        warnings
    }

    /// How many servers there are, over all upstreams.
    pub(crate) fn count_servers(&self) -> usize {
        let upstreams = self.upstreams.iter();
        upstreams.map(|upstream| upstream.servers.len()).sum()
    }
}

impl fmt::Display for DescriptorShortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            needed,
            allowed,
            connections,
            requests,
        } = self;
        write!(
            f,
            "gateway.limits: needs up to {needed} descriptors, but {allowed} are allowed here, so \
             at most {connections} connections and {requests} requests are served at a time; \
             raise the hard limit of open files (systemd: LimitNOFILE), or write lower bounds"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn settings(limits: &str) -> Settings {
        let text = format!(
            "[[issuer]]\nurl = \"https://idp.example\"\naudience = [\"a\"]\n[gateway]\nupstream = \
                \"http://127.0.0.1:1\"\n\
             [gateway.limits]\n{limits}"
        );
        Config::from_toml(&text).unwrap().try_into().unwrap()
    }

    fn bounds(limits: &str, descriptors: u64) -> (usize, usize, bool) {
        let (bounds, shortage) = Bounds::new(&settings(limits).listeners.limits, 1, descriptors);
        (
            bounds.connections,
            bounds.requests.most(),
            shortage.is_some(),
        )
    }

    #[test]
    fn bounds_are_as_written_if_there_is_room() {
        assert_eq!(bounds("", 65_536), (10_000, 4_000, false));
        assert_eq!(bounds("", 14_128), (10_000, 4_000, false));
        assert_eq!(
            bounds("connections = 100\nrequests = 50\n", 1_024),
            (100, 50, false)
        );
    }

    #[test]
    fn bounds_fit_the_available_descriptors_with_a_reserve() {
        for descriptors in [256, 1_024, 4_096, 14_127] {
            let (connections, requests, short) = bounds("", descriptors);
            assert!(
                short && connections > requests && requests > 4,
                "{descriptors}"
            );
            assert!(
                (connections + requests) as u64 + RESERVE <= descriptors,
                "{descriptors}"
            );
        }
        let shortage = shortage(&settings("").listeners.limits, 1, 1_024)
            .unwrap()
            .to_string();
        assert!(
            shortage.contains("14128 descriptors") && shortage.contains("1024 are allowed"),
            "{shortage}"
        );
    }

    #[test]
    fn an_upstream_has_half_unless_its_settings_say_otherwise() {
        let mut settings = settings("requests = 7\n");
        Bounds::new(&settings.listeners.limits, 1, 65_536)
            .0
            .bound_upstreams(&mut settings);
        assert_eq!(settings.upstreams[0].requests, Some(3));
    }
}
