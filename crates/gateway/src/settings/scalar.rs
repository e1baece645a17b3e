//! Values of one line that several tables hold.

use crate::refusal::PathFault;
use crate::request::host::HostPattern;
use crate::request::target::is_forwarded;
use http::Method;
use ipnet::IpNet;
use portcullis_core::Faults;
use std::net::IpAddr;
use std::time::Duration;

const YEAR: u64 = 31_536_000;
/// Longer times would overflow the clock of some systems.
pub(super) const HUNDRED_YEARS: u64 = 100 * YEAR;
/// The default `max-age` of `Strict-Transport-Security`.
pub(super) const DEFAULT_HSTS: u64 = YEAR;

/// An address, or a network.
pub(super) fn network(text: &str) -> Option<IpNet> {
    if let Ok(network) = text.parse() {
        return Some(network);
    }
    text.parse::<IpAddr>().ok().map(IpNet::from)
}

/// A time in seconds, or its default. None is nought: that would refuse everything.
pub(super) fn seconds(
    member: &str,
    written: Option<u64>,
    default: u64,
    faults: &Faults,
) -> Duration {
    let seconds = written.unwrap_or(default);
    if !(1..=HUNDRED_YEARS).contains(&seconds) {
        faults
            .expected(
                member,
                "a number of seconds from 1, at most a hundred years",
            )
            .found(seconds)
            .help("leave it out for the default");
    }
    Duration::from_secs(seconds)
}

/// A time in seconds, or its default; nought is no bound.
pub(super) fn seconds_or_never(
    member: &str,
    written: Option<u64>,
    default: u64,
    faults: &Faults,
) -> Option<Duration> {
    let seconds = written.unwrap_or(default);
    if seconds > HUNDRED_YEARS {
        faults
            .expected(member, "a number of seconds, or 0 for no bound")
            .found(seconds)
            .help("leave it out for the default");
    }
    // Long streams are legitimate, so operators may lift this bound, unlike the others.
    (seconds > 0).then_some(Duration::from_secs(seconds))
}

/// A number, if it is written, that is not nought.
pub(super) fn at_least_one(member: &str, written: Option<u64>, faults: &Faults) {
    if written == Some(0) {
        faults
            .expected(member, "at least 1")
            .found(0)
            .help("leave it out for the default");
    }
}

/// Hosts that are served, or that a route is for.
pub(super) fn hosts(written: &[String], faults: &Faults) -> Vec<HostPattern> {
    let mut hosts = Vec::new();
    for (index, text) in written.iter().enumerate() {
        match HostPattern::parse(text) {
            Some(host) => hosts.push(host),
            None => faults
                .expected(&format!("hosts[{index}]"), "a host without a port")
                .found(text)
                .help("write `api.example.com` or `*.example.com`"),
        }
    }
    hosts
}

/// Methods that are forwarded.
pub(super) fn methods(written: &[String], faults: &Faults) -> Vec<Method> {
    let mut methods = Vec::new();
    for (index, text) in written.iter().enumerate() {
        // `CONNECT` and `TRACE` are never forwarded, so a route for them could not be used.
        match Method::from_bytes(text.as_bytes()) {
            // The grammar takes a star for a name, and so it would match no request.
            Ok(method) if is_forwarded(&method) && text != "*" => methods.push(method),
            _ => faults
                .expected(
                    &format!("methods[{index}]"),
                    "a method that is forwarded, in capitals",
                )
                .found(text)
                .help("write a method such as `GET`"),
        }
    }
    methods
}

/// One of several words; of another one, the fault names those that there are.
pub(super) fn one_of<T: Copy>(
    member: &str,
    written: Option<&str>,
    known: &[(&str, T)],
    faults: &Faults,
) -> Option<T> {
    let written = written?;
    let mut words = Vec::new();
    for (word, meaning) in known {
        if *word == written {
            return Some(*meaning);
        }
        words.push(format!("`{word}`"));
    }
    let last = words.pop().unwrap_or_default();
    let default = known.first().map_or("", |(word, _)| word);
    faults
        .expected(member, format!("{} or {last}", words.join(", ")))
        .found(written)
        .help(format!("leave it out for `{default}`"));
    None
}

/// What is expected of a path with this fault.
pub(super) fn path_without(fault: &str) -> String {
    if fault == PathFault::Relative.to_string() {
        return "a path that begins with \"/\"".to_owned();
    }
    format!("a path without {fault}")
}
