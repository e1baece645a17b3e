//! One server of an upstream: its address, its connections, and whether it is healthy.

use super::idle_pool::IdlePool;
use super::shared_connection::SharedConnection;
use crate::transport::slots::Slot;
use http::Uri;
use http::header::HeaderValue;
use http::uri::{Authority, Scheme};
use portcullis_resource_server::FailureLog;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// How long it must not have failed before it counts as well again: it is tried every five seconds.
const CALM: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Server {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    /// Where to connect to.
    pub(super) uri: Uri,
    /// Its own name in `Host`, for where the client's name for it does not go through.
    pub(super) host: HeaderValue,
    /// The same, as `:authority`.
    pub(super) host_authority: Authority,
    // In an `Arc` of its own, so that a response body can give its connection back later.
    pub(super) idle: Arc<IdlePool>,
    pub(super) shared: SharedConnection,
    in_flight: AtomicUsize,
    /// Whether its last probes succeeded.
    probes_succeed: AtomicBool,
    pub(super) failures: FailureLog,
    /// When it may be tried again after a failure, in milliseconds of the clock.
    passed_over_until: AtomicU64,
}

/// One request under way at a server. It counts until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlightGuard(Arc<Server>, Option<Slot>);

impl Server {
    pub(super) fn new(scheme: &Scheme, authority: &Authority) -> Option<Arc<Self>> {
        let uri = Uri::builder()
            .scheme(scheme.clone())
            .authority(authority.clone())
            // The builder refuses a scheme without a path.
            .path_and_query("/");
        let default_port = if *scheme == Scheme::HTTPS { 443 } else { 80 };
        // The default port is left out of `Host` (RFC 9110, section 7.2; RFC 3986, section 6.2.3).
        let host = match authority.port_u16() {
            Some(port) if port != default_port => format!("{}:{port}", authority.host()),
            _ => authority.host().to_owned(),
        };
        Some(Arc::new(Self {
            scheme: scheme.clone(),
            authority: authority.clone(),
            uri: uri.build().ok()?,
            host_authority: Authority::try_from(host.as_str()).ok()?,
            host: HeaderValue::try_from(host).ok()?,
            idle: Arc::default(),
            shared: SharedConnection::default(),
            in_flight: AtomicUsize::new(0),
            probes_succeed: AtomicBool::new(true),
            failures: FailureLog::with_calm(CALM),
            passed_over_until: AtomicU64::new(0),
        }))
    }

    /// Counts a request until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlightGuard {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlightGuard(Arc::clone(self), None)
    }

    /// How many requests are under way.
    pub(super) fn in_flight(&self) -> usize {
        // Relaxed, as no other memory depends on the count.
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether it may get requests. `now` is in milliseconds of the clock.
    pub(super) fn is_healthy(&self, now: u64) -> bool {
        self.probes_succeed() && self.passed_over_until.load(Ordering::Relaxed) <= now
    }

    /// Whether its last probes succeeded.
    pub(super) fn probes_succeed(&self) -> bool {
        self.probes_succeed.load(Ordering::Relaxed)
    }

    /// Notes whether its probes succeed; returns whether that is a change.
    pub(super) fn set_probes_succeed(&self, succeed: bool) -> bool {
        self.probes_succeed.swap(succeed, Ordering::Relaxed) != succeed
    }

    /// Passes it over until a time, in milliseconds of the clock; returns the time before.
    pub(super) fn pass_over_until(&self, until: u64) -> u64 {
        self.passed_over_until.swap(until, Ordering::Relaxed)
    }
}

impl InFlightGuard {
    pub(super) fn server(&self) -> &Arc<Server> {
        &self.0
    }

    /// Holds a slot of the upstream too.
    pub(super) fn with_slot(mut self, slot: Slot) -> Self {
        self.1 = Some(slot);
        self
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
