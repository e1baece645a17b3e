//! HTTP/2 to a server: one connection, shared by all requests, opened anew when it ends.
//!
//! A connection that failed a request, or that rested for long, gets no further ones; those under
//! way on it go on.

use super::fault::Fault;
use super::idle::IDLE;
use crate::forward::body::RequestBody;
use hyper::client::conn::http2::SendRequest;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The connection that the requests to a server share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Held by the request that opens a connection: the others wait for it.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Current>,
    opened: u64,
    /// How often no connection could be opened, and why the last time.
    failed: u64,
    facts: String,
}

#[derive(Debug)]
struct Current {
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

impl Shared {
    /// The connection, which `open` makes if there is none. `alone`: whether no other request is
    /// under way.
    pub(super) async fn lease(
        &self,
        alone: bool,
        open: impl Future<Output = Result<SendRequest<RequestBody>, String>>,
    ) -> Result<Lease, Fault> {
        if let Some(lease) = self.current(alone) {
            return Ok(lease);
        }
        let failed = self.state().failed;
        let _turn = self.opening.lock().await;
        if let Some(lease) = self.current(false) {
            return Ok(lease);
        }
        // The failure of the request that was waited for is the failure of all that waited.
        let known = Some(self.state())
            .filter(|state| state.failed != failed)
            .map(|it| it.facts.clone());
        if let Some(facts) = known {
            return Err(Fault::Connect(facts));
        }
        let opened = open.await;
        let mut state = self.state();
        match opened {
            Ok(sender) => {
                state.opened += 1;
                let number = state.opened;
                state.current = Some(Current {
                    sender: sender.clone(),
                    number,
                    used: Instant::now(),
                });
                Ok(Lease {
                    sender,
                    kept: false,
                    number,
                })
            }
            Err(facts) => {
                state.failed += 1;
                state.facts.clone_from(&facts);
                Err(Fault::Connect(facts))
            }
        }
    }

    /// No further requests for the connection of this lease.
    pub(super) fn retire(&self, lease: &Lease) {
        let mut state = self.state();
        if state
            .current
            .as_ref()
            .is_some_and(|current| current.number == lease.number)
        {
            state.current = None;
        }
    }

    fn current(&self, alone: bool) -> Option<Lease> {
        let mut state = self.state();
        let current = state.current.as_mut()?;
        // Nobody noticed yet if something on the way has forgotten a connection that rested.
        let rested = alone && current.used.elapsed() >= IDLE;
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
