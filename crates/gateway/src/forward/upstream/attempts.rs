//! How often a request is sent: once, unless sending it again can do no harm.
//!
//! If no byte was sent, or the server says that it did not process the request, any method goes to
//! another server, as long as its body is still whole. If the connection ended without a response,
//! or no response came in time, a safe request without a body goes out once more (RFC 9110, section
//! 9.2.2), and never a third time. After the first byte of a response nothing is sent again.

use super::fault::UpstreamFault;
use super::server::Server;
use std::sync::Arc;

/// How many servers are tried at most, including those that could not be reached.
const MOST_ATTEMPTS: usize = 3;
// A request that takes a server down must not take all of them down, one after the other.
/// How often a request is sent at most.
const MOST_SENT: usize = 2;

/// The failed attempts of one request so far.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failed: Vec<FailedAttempt>,
    sent: usize,
}

#[derive(Debug)]
struct FailedAttempt {
    server: Arc<Server>,
    /// Whether the same server may be tried again if there is no other.
    again: bool,
}

impl Attempts {
    /// Notes a failed attempt. Returns whether the request may be sent again.
    ///
    /// `whole`: whether its body is still there. `harmless`: whether it may be processed twice.
    pub(super) fn fail(
        &mut self,
        server: Arc<Server>,
        fault: &UpstreamFault,
        whole: bool,
        harmless: bool,
    ) -> bool {
        let (sent, again) = match fault {
            UpstreamFault::Connect(_) => (false, false),
            UpstreamFault::NotProcessed(_) => (false, true),
            UpstreamFault::Unanswered { kept, .. } => (true, *kept),
            UpstreamFault::Reset(_) | UpstreamFault::TooSlow { begun: false } => (true, false),
            // The server has begun to answer, or the client is at fault: repeating cannot help.
            UpstreamFault::TooSlow { begun: true }
            | UpstreamFault::Broken(_)
            | UpstreamFault::HeadTooLarge(_)
            | UpstreamFault::Body(_) => {
                return false;
            }
        };
        self.sent += usize::from(sent);
        self.failed.push(FailedAttempt { server, again });
        let may_repeat = harmless || !sent;
        whole && may_repeat && self.sent < MOST_SENT && self.failed.len() < MOST_ATTEMPTS
    }

    /// Whether nothing has been tried yet.
    pub(super) fn is_first(&self) -> bool {
        self.failed.is_empty()
    }

    /// How often a server failed; none if it must not be tried again.
    pub(super) fn failures(&self, server: &Arc<Server>) -> Option<usize> {
        let mut count = 0;
        for failed in &self.failed {
            if !Arc::ptr_eq(&failed.server, server) {
                continue;
            }
            if !failed.again {
                return None;
            }
            count += 1;
        }
        Some(count)
    }
}
