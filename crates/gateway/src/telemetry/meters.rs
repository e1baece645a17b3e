//! What the gateway counts: meters that are made once, so that a request only adds to atomics.

use super::bounds::BoundMeters;
use super::events;
use super::exposition::Exposition;
use http::StatusCode;
use metrics::{Counter, Histogram, Recorder};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// What is counted for the gateway as a whole.
pub(crate) struct Meters {
    pub(crate) limited: Counter,
    pub(crate) audit_dropped: Counter,
    pub(crate) policy_failures: Counter,
    pub(crate) connections: Arc<AtomicUsize>,
    pub(crate) bounds: BoundMeters,
    settings: ReloadMeter,
    certificates: ReloadMeter,
    routes: RwLock<HashMap<Box<str>, Arc<RouteMeter>>>,
}

struct ReloadMeter {
    good: Counter,
    bad: Counter,
    failed: AtomicBool,
}

/// What is counted of one route.
pub(crate) struct RouteMeter {
    statuses: RwLock<Vec<(Box<str>, Counter)>>,
    seconds: Histogram,
}

/// An open connection. It counts until it is dropped.
#[derive(Debug)]
pub(crate) struct Open(Arc<AtomicUsize>);

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

    /// An answer was given. Without a route the request had no one reading.
    pub(crate) fn answered(
        &self,
        exposition: &Exposition,
        route: Option<&str>,
        status: StatusCode,
        took: Duration,
    ) {
        let route = route.unwrap_or("none");
        let known = self
            .routes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(route)
            .cloned();
        let meter = known.unwrap_or_else(|| {
            let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(
                routes
                    .entry(route.into())
                    .or_insert_with(|| Arc::new(RouteMeter::new(exposition, route))),
            )
        });
        meter.answered(exposition, route, status, took);
    }

    /// A file was read again, and taken into use or not.
    pub(crate) fn reloaded(&self, what: &str, good: bool) {
        let meter = if what == "settings" {
            &self.settings
        } else {
            &self.certificates
        };
        if good { &meter.good } else { &meter.bad }.increment(1);
        meter.failed.store(!good, Ordering::Relaxed);
    }

    /// The states among the figures.
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

    fn answered(&self, recorder: &dyn Recorder, route: &str, status: StatusCode, took: Duration) {
        self.seconds.record(took.as_secs_f64());
        let label = label(status);
        let known = {
            let statuses = self.statuses.read().unwrap_or_else(PoisonError::into_inner);
            let counter = statuses.iter().find(|(other, _)| **other == *label);
            counter.map(|(_, counter)| counter.increment(1)).is_some()
        };
        if !known {
            let counter = events::REQUESTS.count(recorder, &[route, &label]);
            counter.increment(1);
            // Two at once make the same counter twice: it is one in the exposition.
            self.statuses
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .push((label.into_string().into(), counter));
        }
    }
}

/// A status as it is written, if it is a registered one; else its class: an upstream can invent
/// hundreds.
fn label(status: StatusCode) -> Box<str> {
    match status.canonical_reason() {
        Some(_) => status.as_str().into(),
        None => format!("{}xx", status.as_u16() / 100).into(),
    }
}

impl Open {
    pub(crate) fn new(connections: &Arc<AtomicUsize>) -> Self {
        connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connections))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meters")
    }
}
