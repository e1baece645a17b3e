//! The bounds in force: as written in the settings, or lower if the process has too few file
//! descriptors.
//!
//! A client connection takes one descriptor, a request under way another one for its upstream. A
//! process without descriptors accepts no probes either, so the bounds are lowered until they fit.

use crate::settings::{LimitSettings, Settings};
use crate::telemetry::events;
use crate::transport::places::{CallerPlaces, Places};
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
    pub(crate) caller_connections: Arc<CallerPlaces>,
    pub(crate) requests: Arc<Places>,
    pub(crate) caller_requests: Arc<CallerPlaces>,
    /// Rests of bodies that are read after an early answer.
    pub(crate) rests: Arc<Places>,
}

/// The process has fewer descriptors than the bounds can need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shortage {
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
    if current != maximum
        && setrlimit(
            Resource::Nofile,
            Rlimit {
                current: maximum,
                maximum,
            },
        )
        .is_err()
    {
        tracing::debug!("the limit of descriptors cannot be raised");
    }
    descriptors().0
}

impl Bounds {
    /// The bounds for this many servers and descriptors.
    pub(crate) fn new(
        limits: &LimitSettings,
        servers: usize,
        descriptors: u64,
    ) -> (Self, Option<Shortage>) {
        let shortage = shortage(limits, servers, descriptors);
        let (connections, requests) = match shortage {
            Some(Shortage {
                connections,
                requests,
                ..
            }) => (connections, requests),
            None => (limits.connections, limits.requests),
        };
        // Unless it is written, the bound is for strangers: whoever is on loopback may speak for
        // many.
        let part = |written: Option<usize>, all: usize| {
            CallerPlaces::new(written.unwrap_or(all / 10).clamp(1, all), written.is_some())
        };
        let bounds = Self {
            connections,
            caller_connections: part(limits.connections_per_caller, connections),
            requests: Places::new(requests),
            caller_requests: part(limits.requests_per_caller, requests),
            rests: Places::new(requests),
        };
        (bounds, shortage)
    }

    /// The states among the figures.
    pub(crate) fn record(&self, recorder: &dyn Recorder) {
        events::UNDER_WAY.set(recorder, &[], self.requests.taken() as f64);
        events::BOUND.set(recorder, &["connections"], self.connections as f64);
        events::BOUND.set(recorder, &["requests"], self.requests.most() as f64);
        events::BOUND.set(recorder, &["descriptors"], descriptors().0 as f64);
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            events::DESCRIPTORS.set(recorder, &[], open.count() as f64);
        }
    }

    /// Gives upstreams without a bound half of all requests, so that one alone cannot take all.
    pub(crate) fn bound(&self, settings: &mut Settings) {
        for upstream in &mut settings.upstreams {
            upstream
                .requests
                .get_or_insert((self.requests.most() / 2).max(1));
        }
    }
}

fn shortage(limits: &LimitSettings, servers: usize, descriptors: u64) -> Option<Shortage> {
    let servers = u64::try_from(servers).unwrap_or(u64::MAX);
    let (connections, requests) = (limits.connections as u64, limits.requests as u64);
    // An idle connection is used before another one is opened, so one server never adds to the
    // requests under way.
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
    // In proportion, never more than written, and a few of each at least.
    let share = |part: u64| {
        let share = u128::from(room) * u128::from(part) / u128::from(sum.max(1));
        usize::try_from(share).unwrap_or(usize::MAX).max(4)
    };
    Some(Shortage {
        needed,
        allowed: descriptors,
        connections: share(connections).min(limits.connections),
        requests: share(requests).min(limits.requests),
    })
}

impl Settings {
    /// Warnings about these settings on this machine, such as too few descriptors for the bounds.
    pub fn warnings(&self) -> Vec<String> {
        let servers = self
            .upstreams
            .iter()
            .map(|upstream| upstream.servers.len())
            .sum();
        let mut warnings = Vec::new();
        for warning in self.resource_server.warnings().iter().chain(&self.warnings) {
            let (place, help) = (warning.place(), warning.help());
            warnings.push(format!("{place}: {}; {help}", warning.message()));
        }
        if let Some(shortage) = shortage(&self.listeners.limits, servers, descriptors().1) {
            warnings.push(shortage.to_string());
        }
        warnings
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            needed,
            allowed,
            connections,
            requests,
        } = self;
        write!(
            f,
            "gateway.limits: {needed} descriptors can be needed, {allowed} are allowed here, so \
                there are {connections} \
             connections and {requests} requests at most; raise the hard limit of open files \
             (systemd: LimitNOFILE), or \
             write lower bounds"
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
    fn bounds_are_as_written_where_there_is_room() {
        assert_eq!(bounds("", 65_536), (10_000, 4_000, false));
        assert_eq!(bounds("", 14_128), (10_000, 4_000, false));
        assert_eq!(
            bounds("connections = 100\nrequests = 50\n", 1_024),
            (100, 50, false)
        );
    }

    #[test]
    fn bounds_fit_into_the_descriptors_there_are_with_a_reserve() {
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
            .bound(&mut settings);
        assert_eq!(settings.upstreams[0].requests, Some(3));
    }
}
