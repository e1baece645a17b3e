//! The state of a running gateway, shared by requests, reloads and probes.

use crate::generation::Generation;
use crate::listen::context::ListenerContext;
use crate::settings::ListenerSettings;
use crate::telemetry::Telemetry;
use crate::transport::life::Life;
use crate::transport::tls::ServerTls;
use arc_swap::ArcSwap;
use portcullis_resource_server::clock::Clock;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Mutex;

/// Shared by requests, reloads and probes.
pub(crate) struct GatewayState {
    pub(super) generation: Arc<ArcSwap<Generation>>,
    pub(super) listeners: ListenerSettings,
    /// The TLS of every door that has it.
    pub(super) tls: Vec<Arc<ServerTls>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) life: Life,
    /// Whether the gateway was told to stop. It may go on serving for a while.
    pub(super) leaving: AtomicBool,
    pub(super) reloading: Mutex<()>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) context: ListenerContext,
}

impl GatewayState {
    /// The settings in use. A request keeps the ones that it began with.
    pub(crate) fn generation(&self) -> Arc<Generation> {
        // An `Arc` and not a guard: requests hold it long, and a thread has few slots for guards.
        self.generation.load_full()
    }

    /// Whether the gateway drains, or will as soon as load balancers had time to notice.
    pub(crate) fn is_stopping(&self) -> bool {
        self.leaving.load(Ordering::Acquire) || self.life.is_stopping()
    }

    /// Says that the gateway stops, and lets it serve until load balancers have noticed.
    pub(super) async fn leave(&self) {
        // First, as the delay is for load balancers: the next probe has to fail.
        self.leaving.store(true, Ordering::Release);
        let delay = self.listeners.limits.stop_delay;
        if !delay.is_zero() {
            let facts = format!("for {} seconds", delay.as_secs());
            tracing::info!(
                facts,
                "the gateway stops, and serves on until load balancers have noticed"
            );
            self.clock.sleep(delay).await;
        }
    }

    /// Logs which certificates of listeners have expired, or soon will.
    pub(crate) fn warn_of_expiry(&self) {
        for tls in &self.tls {
            tls.warn_of_expiry(self.clock.now());
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        // Load balancers need to turn away before the last requests are drained.
        self.generation().policy.server.is_ready() && !self.is_stopping()
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}

impl fmt::Debug for GatewayState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayState")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
