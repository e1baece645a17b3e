//! HTTP/2 to a server: one connection, shared by all requests, and replaced when it ends.
//!
//! A connection that failed a request, or that was idle for long, gets no further ones. Those under
//! way on it go on.

use super::fault::UpstreamFault;
use super::idle_pool::MOST_IDLE_TIME;
use crate::forward::request_body::RequestBody;
use hyper::client::conn::http2::SendRequest;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The connection that the requests to a server share.
#[derive(Debug, Default)]
pub(super) struct SharedConnection {
    state: Mutex<SharedState>,
    /// Held by the request that opens a connection: the others wait for it.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct SharedState {
    current: Option<OpenConnection>,
    opened: u64,
    /// How often no connection could be opened, and why the last time.
    failed: u64,
    facts: String,
}

#[derive(Debug)]
struct OpenConnection {
    sender: SendRequest<RequestBody>,
    number: u64,
    used: Instant,
}

/// The right to send one request.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) sender: SendRequest<RequestBody>,
    /// Whether earlier requests used the connection.
    pub(super) kept: bool,
    number: u64,
}

impl SharedConnection {
    /// The connection, which `open` makes if there is none. `alone`: whether no other request is
    /// under way.
    pub(super) async fn lease(
        &self,
        alone: bool,
        open: impl Future<Output = Result<SendRequest<RequestBody>, String>>,
    ) -> Result<Lease, UpstreamFault> {
        if let Some(lease) = self.lease_current(alone) {
            return Ok(lease);
        }
        let failed = self.state().failed;
        let _turn = self.opening.lock().await;
        if let Some(lease) = self.lease_current(false) {
            return Ok(lease);
        }
        // A failure while this request waited counts for it too. Otherwise each would wait for a
        // connect timeout of its own, one after the other.
        if let Some(facts) = self.failure_since(failed) {
            return Err(UpstreamFault::Connect(facts));
        }
        match open.await {
            Ok(sender) => Ok(self.state().open(sender)),
            Err(facts) => {
                self.state().fail(&facts);
                Err(UpstreamFault::Connect(facts))
            }
        }
    }

    /// Gives no further requests to the connection of this lease.
    pub(super) fn retire(&self, lease: &Lease) {
        let mut state = self.state();
        // By number: another request may have replaced the connection already.
        if let Some(current) = &state.current
            && current.number == lease.number
        {
            state.current = None;
        }
    }

    fn lease_current(&self, alone: bool) -> Option<Lease> {
        let mut state = self.state();
        let current = state.current.as_mut()?;
        // A firewall may have silently forgotten an idle connection. With other requests under way
        // it is in use, and a loss would have shown.
        let rested = alone && current.used.elapsed() >= MOST_IDLE_TIME;
        if rested || !current.sender.is_ready() {
            state.current = None;
            return None;
        }
        current.used = Instant::now();
        Some(Lease {
            sender: current.sender.clone(),
            kept: true,
            number: current.number,
        })
    }

    /// Why opening failed last, if it failed since there were `failed` failures.
    fn failure_since(&self, failed: u64) -> Option<String> {
        let state = self.state();
        (state.failed != failed).then(|| state.facts.clone())
    }

    fn state(&self) -> MutexGuard<'_, SharedState> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedState {
    fn open(&mut self, sender: SendRequest<RequestBody>) -> Lease {
        self.opened += 1;
        let number = self.opened;
        self.current = Some(OpenConnection {
            sender: sender.clone(),
            number,
            used: Instant::now(),
        });
        Lease {
            sender,
            kept: false,
            number,
        }
    }

    fn fail(&mut self, facts: &str) {
        self.failed += 1;
        facts.clone_into(&mut self.facts);
    }
}
