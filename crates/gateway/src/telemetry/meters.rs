//! The gateway's own counters: each is registered once, so that a request only adds to atomics.

use super::bounds::BoundMeters;
use super::events;
use super::exposition::Exposition;
use http::StatusCode;
use metrics::{Counter, Histogram, Recorder};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The counters of the gateway as a whole.
pub(crate) struct Meters {
    pub(crate) limited: Counter,
    pub(crate) audit_dropped: Counter,
    pub(crate) policy_failures: Counter,
    pub(crate) connections: Arc<AtomicUsize>,
    pub(crate) bounds: BoundMeters,
    settings: ReloadMeter,
    certificates: ReloadMeter,
    // By name and for ever: a reload replaces the routes, and their counts go on.
    routes: RwLock<HashMap<Box<str>, Arc<RouteMeter>>>,
}

struct ReloadMeter {
    good: Counter,
    bad: Counter,
    failed: AtomicBool,
}

/// The counters of one route.
pub(crate) struct RouteMeter {
    statuses: RwLock<Vec<(Box<str>, Counter)>>,
    seconds: Histogram,
}

/// An open connection. It counts until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionGuard(Arc<AtomicUsize>);

impl Meters {
    pub(crate) fn new(recorder: &dyn Recorder) -> Self {
        Self {
            limited: events::LIMITED.count(recorder, &[]),
            audit_dropped: events::AUDIT_DROPPED.count(recorder, &[]),
            policy_failures: events::POLICY_FAILURES.count(recorder, &[]),
            connections: Arc::default(),
            bounds: BoundMeters::new(recorder),
            settings: ReloadMeter::new(recorder, "settings"),
            certificates: ReloadMeter::new(recorder, "certificates"),
            routes: RwLock::default(),
        }
    }

    /// Counts a response; `route` is `None` if none was looked up.
    pub(crate) fn count_response(
        &self,
        exposition: &Exposition,
        route: Option<&str>,
        status: StatusCode,
        took: Duration,
    ) {
        let route = route.unwrap_or("none");
        let meter = match self.find_route(route) {
            Some(meter) => meter,
            None => self.add_route(exposition, route),
        };
        meter.count_response(exposition, route, status, took);
    }

    fn find_route(&self, route: &str) -> Option<Arc<RouteMeter>> {
        let routes = self
            .routes
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        routes.get(route).cloned()
    }

    fn add_route(&self, exposition: &Exposition, route: &str) -> Arc<RouteMeter> {
        let mut routes = self
            .routes
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Another request may have added it between the two locks.
        let meter = routes
            .entry(route.into())
            .or_insert_with(|| Arc::new(RouteMeter::new(exposition, route)));
        Arc::clone(meter)
    }

    /// Counts a reload of `settings` or `certificates`.
    pub(crate) fn count_reload(&self, what: &str, good: bool) {
        let meter = if what == "settings" {
            &self.settings
        } else {
            &self.certificates
        };
        if good { &meter.good } else { &meter.bad }.increment(1);
        meter.failed.store(!good, Ordering::Relaxed);
    }

    /// Records the gauges.
    pub(crate) fn record(&self, recorder: &dyn Recorder) {
        let connections = self.connections.load(Ordering::Relaxed);
        events::CONNECTIONS.set(recorder, &[], connections as f64);
        for (what, meter) in [
            ("settings", &self.settings),
            ("certificates", &self.certificates),
        ] {
            let failed = u8::from(meter.failed.load(Ordering::Relaxed));
            events::RELOAD_FAILED.set(recorder, &[what], f64::from(failed));
        }
    }
}

impl ReloadMeter {
    fn new(recorder: &dyn Recorder, what: &str) -> Self {
        Self {
            good: events::RELOADS.count(recorder, &[what, "ok"]),
            bad: events::RELOADS.count(recorder, &[what, "failed"]),
            failed: AtomicBool::new(false),
        }
    }
}

impl RouteMeter {
    fn new(recorder: &dyn Recorder, route: &str) -> Self {
        Self {
            statuses: RwLock::default(),
            seconds: events::REQUEST_SECONDS.times(recorder, &[route]),
        }
    }

    fn count_response(
        &self,
        recorder: &dyn Recorder,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        self.seconds.record(took.as_secs_f64());
        let label = label(status);
        if self.increment(&label) {
            return;
        }
        let counter = events::REQUESTS.count(recorder, &[route, &label]);
        counter.increment(1);
        // Two requests at once may push the same counter twice. The exposition has it once.
        let mut statuses = self
            .statuses
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        statuses.push((label, counter));
    }

    /// Adds to the counter of a status; false if there is none yet.
    fn increment(&self, label: &str) -> bool {
        let statuses = self
            .statuses
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        // A route has a handful of statuses, so a list is faster than a map.
        for (other, counter) in &*statuses {
            if **other == *label {
                counter.increment(1);
                return true;
            }
        }
        false
    }
}

/// The status itself, if it is a registered one; else its class.
fn label(status: StatusCode) -> Box<str> {
    // An upstream can invent hundreds of statuses, and each would be a series for ever.
    match status.canonical_reason() {
        Some(_) => status.as_str().into(),
        None => format!("{}xx", status.as_u16() / 100).into(),
    }
}

impl ConnectionGuard {
    pub(crate) fn new(connections: &Arc<AtomicUsize>) -> Self {
        connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connections))
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meters")
    }
}
