//! What can go wrong between the gateway and a server, told apart by what it means for the request:
//! whether it may be sent again, and whether the server is at fault.

use crate::transport::client_body::BodyFault;
use std::error::Error;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// No byte of the request was sent: there is no connection, or it was closed before.
    Connect(String),
    /// The server says that it did not process the request (RFC 9113, sections 6.8 and 8.7).
    NotProcessed(String),
    /// The connection ended before the first byte of the answer.
    Unanswered {
        facts: String,
        /// Whether earlier requests used it: then the server may just have closed an idle
        /// connection.
        kept: bool,
    },
    /// The server gave this request up, and keeps the connection (`RST_STREAM`).
    Reset(String),
    /// The answer is not valid HTTP, or broke off within its head.
    Broken(String),
    /// The head of the answer exceeds the limits of the upstream.
    HeadTooLarge(String),
    /// The head of the answer did not come in time. `begun`: whether some of it did.
    TooSlow { begun: bool },
    /// The request's own body.
    Body(BodyFault),
}

impl Fault {
    /// What an error of HTTP/1.1 means. `wrote` and `heard`: whether any byte of the request went
    /// out, of the answer came in.
    pub(super) fn of_http1(error: &hyper::Error, wrote: bool, heard: bool, kept: bool) -> Self {
        let facts = told(error);
        match body_fault(error) {
            Some(fault) => Self::Body(fault),
            None if error.is_parse_too_large() => Self::HeadTooLarge(facts),
            None if error.is_parse() || heard => Self::Broken(facts),
            None if wrote => Self::Unanswered { facts, kept },
            None => Self::Connect(facts),
        }
    }

    /// What an error of HTTP/2 means.
    pub(super) fn of_http2(error: &hyper::Error, kept: bool) -> Self {
        let facts = told(error);
        if let Some(fault) = body_fault(error) {
            return Self::Body(fault);
        }
        let Some(cause) = chain(error).find_map(|error| error.downcast_ref::<h2::Error>()) else {
            let broken = chain(error).any(|error| error.is::<std::io::Error>());
            let ended =
                error.is_incomplete_message() || error.is_canceled() || error.is_closed() || broken;
            return if ended {
                Self::Unanswered { facts, kept }
            } else {
                Self::Broken(facts)
            };
        };
        let refused = cause.reason() == Some(h2::Reason::REFUSED_STREAM);
        // A stream gets the error of a GOAWAY only if its number is above the last one processed.
        match (cause.is_remote(), cause.is_io()) {
            (true, _) if cause.is_go_away() || refused => Self::NotProcessed(facts),
            (true, _) => Self::Reset(facts),
            (false, true) => Self::Unanswered { facts, kept },
            (false, false) => Self::Broken(facts),
        }
    }

    /// Whether the server should be passed over for a while.
    ///
    /// A kept connection that ends says nothing: servers close idle ones at any time. The next try
    /// opens a fresh one.
    pub(super) fn is_death(&self) -> bool {
        matches!(
            self,
            Self::Connect(_) | Self::Unanswered { kept: false, .. } | Self::TooSlow { .. }
        )
    }
}

fn body_fault(error: &(dyn Error + 'static)) -> Option<BodyFault> {
    chain(error)
        .find_map(|error| error.downcast_ref::<BodyFault>())
        .copied()
}

/// An error and its causes, for the log.
pub(super) fn told(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// An error, and what it comes from.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| {
        (*error).source()
    })
}
