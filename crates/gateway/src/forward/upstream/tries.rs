//! How often a request is sent: once, unless sending it again can do no harm.
//!
//! If no byte was sent, or the server says that it did not process the request, any method goes to
//! another server, as long as its body is still whole. If the connection ended without an answer,
//! or no answer came in time, a safe request without a body goes out once more (RFC 9110, section
//! 9.2.2), and never a third time. After the first byte of an answer nothing is sent again.

use super::Server;
use super::fault::Fault;
use std::sync::Arc;

/// How many servers are tried at most, those that could not be reached included.
const MOST_TRIES: usize = 3;
/// How often a request is sent at most.
const MOST_SENT: usize = 2;

/// The tries of one request so far.
#[derive(Debug, Default)]
pub(super) struct Tries {
    failed: Vec<Failed>,
    sent: usize,
}

#[derive(Debug)]
struct Failed {
    server: Arc<Server>,
    /// Whether the same server may be tried again if there is no other one.
    again: bool,
}

impl Tries {
    /// Notes a failed try. Returns whether the request may be tried again.
    ///
    /// `whole`: whether its body is still there. `harmless`: whether it may be processed twice.
    pub(super) fn fail(
        &mut self,
        server: Arc<Server>,
        fault: &Fault,
        whole: bool,
        harmless: bool,
    ) -> bool {
        let (sent, again) = match fault {
            Fault::Connect(_) => (false, false),
            Fault::NotProcessed(_) => (false, true),
            Fault::Unanswered { kept, .. } => (true, *kept),
            Fault::Reset(_) | Fault::TooSlow { begun: false } => (true, false),
            Fault::TooSlow { begun: true }
            | Fault::Broken(_)
            | Fault::HeadTooLarge(_)
            | Fault::Body(_) => {
                return false;
            }
        };
        self.sent += usize::from(sent);
        self.failed.push(Failed { server, again });
        let allowed = if sent {
            harmless && self.sent < MOST_SENT
        } else {
            self.sent < MOST_SENT
        };
        whole && allowed && self.failed.len() < MOST_TRIES
    }

    /// Whether this is the first try.
    pub(super) fn is_first(&self) -> bool {
        self.failed.is_empty()
    }

    /// How often a server failed; none if it must not be tried again.
    pub(super) fn failures(&self, server: &Arc<Server>) -> Option<usize> {
        let mut failed = self
            .failed
            .iter()
            .filter(|failed| Arc::ptr_eq(&failed.server, server));
        failed.try_fold(0, |count, failed| failed.again.then_some(count + 1))
    }
}
