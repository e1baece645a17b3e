//! Which pages of other origins may call, from as written to as meant.
//!
//! Pairs that open more than anybody means are refused: cookies together with origins that nobody
//! has listed one by one, and pages that came over the network in clear.

use super::scalar::methods;
use crate::config::{CorsConfig, GatewayConfig};
use crate::decision::cors::CorsRules;
use crate::request::origin::{OriginFault, OriginPattern};
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method};
use portcullis_core::Faults;

// Without `OPTIONS`: browsers send preflights by themselves, whatever this list says.
const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];
/// Without the first no page could send a token, without the second no proof of a bound one, and
/// without the third no JSON.
const HEADERS: [HeaderName; 3] = [AUTHORIZATION, HeaderName::from_static("dpop"), CONTENT_TYPE];
/// What a page needs to act on a refusal.
const EXPOSED: [HeaderName; 4] = [
    WWW_AUTHENTICATE,
    HeaderName::from_static("dpop-nonce"),
    RETRY_AFTER,
    HeaderName::from_static("x-request-id"),
];
// A page that is taken off the list may go on by a remembered answer for so long.
const MAX_AGE: u64 = 600;
const DAY: u64 = 86_400;

/// `faults` are those of `[gateway]`.
pub(super) fn cors(gateway: &GatewayConfig, faults: &Faults) -> Option<CorsRules> {
    let written = gateway.cors.as_ref()?;
    // The gateway would answer every preflight, and none would reach the upstream meant for them.
    if gateway.public_preflight {
        let help = "leave it out: with `[gateway.cors]` the gateway answers preflights itself";
        faults
            .expected(
                "public_preflight",
                "no `public_preflight` beside `[gateway.cors]`",
            )
            .found_as("both")
            .given(&["cors"])
            .help(help);
    }
    Some(cors_rules(written, &faults.at("cors")))
}

/// The rules of one table, the gateway's or a route's.
pub(super) fn cors_rules(written: &CorsConfig, faults: &Faults) -> CorsRules {
    let origins = origins(written, faults);
    check_credentials(written, &origins, faults);
    let max_age = written.max_age.unwrap_or(MAX_AGE);
    // No browser remembers for longer, so a larger number has the wrong unit.
    if max_age > DAY {
        faults
            .expected("max_age", "seconds, at most a day")
            .found(max_age)
            .help("leave it out for 600");
    }
    let mut methods = methods(&written.methods, faults);
    if written.methods.is_empty() {
        methods.extend(METHODS);
    }
    CorsRules {
        origins,
        credentials: written.credentials,
        methods: list(methods.iter().map(Method::as_str)),
        // A fixed list, and no echo of the question: a reviewer sees what pages may send.
        headers: names("headers", &HEADERS, &written.headers, faults),
        exposed: names("expose_headers", &EXPOSED, &written.expose_headers, faults),
        max_age: HeaderValue::from(max_age),
    }
}

fn origins(written: &CorsConfig, faults: &Faults) -> Vec<OriginPattern> {
    let mut origins = Vec::new();
    for (index, text) in written.origins.iter().enumerate() {
        let member = format!("origins[{index}]");
        match OriginPattern::parse(text) {
            Ok(origin) if origin.is_plain_http() && !written.danger_plain_http_origins => {
                let help = "serve the page by https, or write `danger_plain_http_origins = true`: \
                    whoever is on the way can change such a page";
                faults
                    .expected(&member, "an origin with https, or on loopback")
                    .found(text)
                    .given(&["danger_plain_http_origins"])
                    .help(help);
            }
            Ok(origin) => origins.push(origin),
            Err(fault) => {
                let (expected, help) = fault.words();
                faults
                    .expected(&member, expected)
                    .found(text)
                    .help(help);
            }
        }
    }
    if written.origins.is_empty() {
        faults
            .expected("origins", "at least one origin")
            .found_nothing()
            .help("write `origins = [\"https://app.example.com\"]`, or leave the table out");
    }
    // A list beside `*` looks like a restriction, and is not one.
    if origins.contains(&OriginPattern::Any) && written.origins.len() > 1 {
        faults
            .expected("origins", "`*` alone, or origins without it")
            .found_as("`*` beside others")
            .help("leave one of them out: `*` is for every page of every site");
    }
    origins
}

/// A page that gets cookies sent acts as whoever is signed in, so each is listed.
fn check_credentials(written: &CorsConfig, origins: &[OriginPattern], faults: &Faults) {
    if !written.credentials {
        return;
    }
    for origin in origins {
        // One subdomain that strangers can take over would be enough for the cookies of all users.
        if matches!(origin, OriginPattern::Exact(_)) {
            continue;
        }
        let help = "list the origins one by one, or leave `credentials` out: a page that sends its \
            token in `Authorization` needs no cookies";
        faults
            .expected("credentials", format!("false beside the origin `{origin}`"))
            .found(true)
            .given(&["origins"])
            .help(help);
    }
}

/// The names of headers for one list, those of all settings first.
fn names(member: &str, always: &[HeaderName], written: &[String], faults: &Faults) -> HeaderValue {
    let mut names = always.to_vec();
    for (index, text) in written.iter().enumerate() {
        match text.parse::<HeaderName>() {
            // Browsers take it for a name where there are credentials, and never for
            // `Authorization`.
            Ok(name) if name.as_str() != "*" => {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            _ => faults
                .expected(&format!("{member}[{index}]"), "the name of a header")
                .found(text)
                .help("list the names one by one, such as `X-Total-Count`"),
        }
    }
    list(names.iter().map(HeaderName::as_str))
}

/// A list header. Methods and names cannot fail to be one.
fn list<'n>(members: impl Iterator<Item = &'n str>) -> HeaderValue {
    let text = members.collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

impl OriginFault {
    /// What was expected, and what to write.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Null => (
                "an origin with a host",
                "serve the page from an address of its own: files and sandboxed frames of every \
                    site have the origin `null`",
            ),
            Self::NoScheme => (
                "an origin: a scheme, a host, and a port if there is one",
                "write `https://app.example.com`",
            ),
            Self::Path => (
                "an origin without a path or a user",
                "write `https://app.example.com`, without a slash at the end",
            ),
            Self::Star => (
                "an origin, or one with `*` for all hosts below a name",
                "write `https://*.example.com`, or list the origins one by one",
            ),
            Self::Host => (
                "an origin with a host and a port as browsers write them",
                "write `https://app.example.com:8443`; hosts beyond ASCII begin with `xn--`",
            ),
        }
    }
}
