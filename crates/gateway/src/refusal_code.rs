//! Every code of the gateway's own refusals, for documents.

use crate::refusal::{PathFault, Refusal};
use std::time::Duration;

/// A code of the gateway's own refusals: requests that it does not forward, or has no answer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusalCode {
    /// The stable code.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What the client is told.
    pub phrase: &'static str,
    /// What cures it.
    pub cure: &'static str,
}

/// Every code of the gateway's own refusals.
pub fn refusal_codes() -> Vec<RefusalCode> {
    let mut codes = Vec::new();
    // One sample of each kind will do: its content does not change its code.
    for refusal in [bad_requests(), out_of_bounds(), failures()].concat() {
        codes.push(RefusalCode {
            code: refusal.code(),
            status: refusal.status().as_u16(),
            phrase: refusal.phrase(),
            cure: cure(&refusal),
        });
    }
    codes
}

/// Requests that cannot be read, or that nobody may send.
fn bad_requests() -> Vec<Refusal> {
    vec![
        Refusal::Path(PathFault::Relative),
        Refusal::Target(""),
        Refusal::Host(""),
        Refusal::Misdirected,
        Refusal::Method,
        Refusal::Coding,
        Refusal::BodyBroken,
        Refusal::Forged(String::new()),
        Refusal::Original(""),
        Refusal::Untrusted(String::new()),
    ]
}

/// Requests beyond a bound.
fn out_of_bounds() -> Vec<Refusal> {
    vec![
        Refusal::BodyTooLarge,
        Refusal::BodyTooSlow,
        Refusal::TooManyFields(""),
        Refusal::IdentityTooLong,
        Refusal::FailingCaller(Duration::ZERO),
        Refusal::Busy,
        Refusal::CallerBusy,
        Refusal::UpstreamBusy(String::new()),
    ]
}

/// Requests that the gateway or the upstream failed.
fn failures() -> Vec<Refusal> {
    vec![
        Refusal::Unsigned(""),
        Refusal::Unreachable(String::new()),
        Refusal::TooSlow,
        Refusal::Broken(String::new()),
        Refusal::AnswerHead(String::new()),
    ]
}

const fn cure(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::BodyTooLarge => "send less, or raise `limits.body_bytes`",
        Refusal::BodyTooSlow => "send faster, or change `limits.body_rate` and `timeouts.body`",
        Refusal::TooManyFields(_) => "send fewer fields, or raise `limits.headers`",
        Refusal::IdentityTooLong => {
            "use a signed assertion, or leave headers out of `gateway.identity.headers`"
        }
        Refusal::FailingCaller(_) => {
            "wait; behind a proxy, name it in `trusted_proxies`, or raise `limits.failing_callers`"
        }
        Refusal::Busy => "try again; if it goes on, raise `limits.requests`",
        Refusal::CallerBusy => "send fewer at a time, or raise `limits.requests_per_caller`",
        Refusal::UpstreamBusy(_) => "see why the upstream is slow, or raise its `requests`",
        Refusal::Unsigned(_) => "see what the log says of the key in `gateway.identity.assertion`",
        Refusal::Unreachable(_) => "see that the upstream runs, and that its address is right",
        Refusal::TooSlow => "see why the upstream is slow, or raise `timeouts.response`",
        Refusal::Broken(_) => "see what the log says of the upstream's answer",
        Refusal::AnswerHead(_) => "raise `headers` or `header_bytes` of the upstream",
        _ => cure_of_request(refusal),
    }
}

const fn cure_of_request(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Path(_) => {
            "send a path without dot segments, empty segments and double escapes; routes can keep \
                escaped slashes"
        }
        Refusal::Target(_) => "send a method and a target as RFC 9112 writes them",
        Refusal::Host(_) => "send one `Host` that is a name or an address",
        Refusal::Misdirected => "add the host to `gateway.hosts`, or send the right one",
        Refusal::Method => "use another method; `CONNECT` and `TRACE` are never forwarded",
        Refusal::Coding => "send no transfer coding but `chunked`",
        Refusal::BodyBroken => "send the body whole, as its length or its chunks say",
        Refusal::Original(_) => "use the recipe of the proxy that asks, from `deploy`",
        Refusal::Untrusted(_) => "name the proxy that asks in `trusted_peers`",
        _ => "leave out headers that only the gateway sets",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Codes are written in one file, so its text shows whether one is missing here.
    #[test]
    fn every_code_is_there_once() {
        let source = include_str!("refusal.rs");
        let mut written = BTreeSet::new();
        for text in source.split('"') {
            let ours = ["request.", "door.", "gateway.", "upstream."];
            let is_code = ours.iter().any(|start| text.starts_with(start));
            if is_code && !text.contains(' ') {
                written.insert(text);
            }
        }
        let codes: Vec<&str> = refusal_codes().iter().map(|it| it.code).collect();
        let listed: BTreeSet<&str> = codes.iter().copied().collect();
        assert_eq!(listed, written);
        assert_eq!(codes.len(), listed.len());
    }
}
