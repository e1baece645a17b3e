//! What can go wrong between the gateway and a server, by what it means for the request: whether it
//! may be sent again, and whether the server is at fault.

use crate::transport::client_body::BodyFault;
use std::error::Error;
use std::{io, iter};

/// Why there is no response.
#[derive(Debug)]
pub(super) enum UpstreamFault {
    /// No byte of the request was sent: there is no connection, or it was closed before.
    Connect(String),
    /// The server says that it did not process the request (RFC 9113, sections 6.8 and 8.7).
    NotProcessed(String),
    /// The connection ended before the first byte of the response.
    Unanswered {
        facts: String,
        /// Whether earlier requests used it: then the server may just have closed an idle
        /// connection.
        kept: bool,
    },
    /// The server gave up this request, and keeps the connection (`RST_STREAM`).
    Reset(String),
    /// The response is not valid HTTP, or ended within its head.
    Broken(String),
    /// The head of the response exceeds the limits of the upstream.
    HeadTooLarge(String),
    /// The head of the response did not come in time. `begun`: whether some of it did.
    TooSlow { begun: bool },
    /// The request's own body.
    Body(BodyFault),
}

impl UpstreamFault {
    /// Classifies an error of HTTP/1.1. `sent` and `received`: whether any byte of the request went
    /// out, and any of the response came in.
    pub(super) fn from_http1(error: &hyper::Error, sent: bool, received: bool, kept: bool) -> Self {
        let facts = describe(error);
        match find_cause::<BodyFault>(error) {
            Some(fault) => Self::Body(*fault),
            None if error.is_parse_too_large() => Self::HeadTooLarge(facts),
            None if error.is_parse() || received => Self::Broken(facts),
            None if sent => Self::Unanswered { facts, kept },
            None => Self::Connect(facts),
        }
    }

    /// Classifies an error of HTTP/2.
    pub(super) fn from_http2(error: &hyper::Error, kept: bool) -> Self {
        let facts = describe(error);
        if let Some(fault) = find_cause::<BodyFault>(error) {
            return Self::Body(*fault);
        }
        let Some(cause) = find_cause::<h2::Error>(error) else {
            let has_ended = error.is_incomplete_message()
                || error.is_canceled()
                || error.is_closed()
                || find_cause::<io::Error>(error).is_some();
            return if has_ended {
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
    pub(super) fn is_death(&self) -> bool {
        // The end of a kept connection proves nothing: servers close idle ones at any time. The
        // next attempt opens a fresh one.
        matches!(
            self,
            Self::Connect(_) | Self::Unanswered { kept: false, .. } | Self::TooSlow { .. }
        )
    }
}

/// An error and its causes, for the log.
pub(super) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in chain(error).skip(1) {
        text.push_str(": ");
        text.push_str(&cause.to_string());
    }
    text
}

/// The first error of this type among an error and its causes.
fn find_cause<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    chain(error).find_map(<dyn Error>::downcast_ref)
}

/// An error, then each of its causes.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| {
        (*error).source()
    })
}
