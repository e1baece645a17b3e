//! What is between two neighbours only, and what a proxy says about itself (RFC 9110, section 7.6).

mod challenges;

use crate::identity::IdentitySettings;
use crate::request::fields::{Values, list_members};
use crate::request::host::Host;
use crate::request::peer::Peer;
use http::Version;
use http::header::{
    CONNECTION, COOKIE, EXPECT, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// What is between two neighbours only, besides what `Connection` names.
const BETWEEN_NEIGHBOURS: [HeaderName; 6] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];
/// What a client says to the gateway alone. The gateway itself says 100 Continue, when it begins to
/// read.
const FOR_GATEWAY: [HeaderName; 3] = [PROXY_AUTHORIZATION, HTTP2_SETTINGS, EXPECT];

/// Removes from a request what is for the gateway alone. This comes first: whatever the gateway
/// adds afterwards cannot be named away by `Connection`.
pub(crate) fn strip_request(headers: &mut HeaderMap, identity: &IdentitySettings) {
    let trailers = wants_trailers(headers);
    let reserved_trailer = |name: &str| identity.is_reserved(&name.to_ascii_lowercase());
    let bad_trailer = list_members(headers, &TRAILER).any(reserved_trailer);
    strip(headers, |name, headers| {
        FOR_GATEWAY.contains(name)
            || (bad_trailer && *name == TRAILER)
            || identity.is_kept_back(name, headers)
    });
    identity.strip_cookie(headers);
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Removes from an answer what is for the gateway alone, and challenges that no client of a gateway
/// can answer.
pub(crate) fn strip_response(headers: &mut HeaderMap) {
    strip(headers, |name, _| *name == PROXY_AUTHENTICATE);
    challenges::strip(headers);
}

/// Removes what is between two neighbours, and what else is to go. Each name is looked at once:
/// that costs less than to look for each name that could be there, as most never are.
fn strip(headers: &mut HeaderMap, goes: impl Fn(&HeaderName, &HeaderMap) -> bool) {
    let named: Vec<HeaderName> = list_members(headers, &CONNECTION)
        .filter_map(|name| HeaderName::try_from(name).ok())
        .collect();
    let unnamed = headers
        .keys()
        .filter(|name| BETWEEN_NEIGHBOURS.contains(name) || goes(name, headers));
    let unnamed: Vec<HeaderName> = unnamed.cloned().collect();
    for name in named.into_iter().chain(unnamed) {
        headers.remove(name);
    }
}

fn wants_trailers(headers: &HeaderMap) -> bool {
    list_members(headers, &TE).any(|coding| coding.eq_ignore_ascii_case("trailers"))
}

/// Says what the gateway saw of the client, in place of whatever the client said. `before` is what
/// trusted proxies say of those before them, or empty.
pub(crate) fn add_forwarded(
    headers: &mut HeaderMap,
    peer: Peer,
    host: &Host,
    before: &str,
    values: &mut Values,
) {
    if !before.is_empty() {
        values.push(before);
        values.push(", ");
    }
    values.push_address(peer.address);
    values.set(headers, FORWARDED_FOR);
    values.push(host.authority());
    values.set(headers, FORWARDED_HOST);
    let scheme = if peer.secure { "https" } else { "http" };
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(scheme));
}

/// Says that a gateway was on the way (RFC 9110, section 7.6.3).
pub(crate) fn add_via(headers: &mut HeaderMap, version: Version) {
    let own = match version {
        Version::HTTP_10 => "1.0 portcullis",
        Version::HTTP_2 => "2.0 portcullis",
        _ => "1.1 portcullis",
    };
    headers.append(VIA, HeaderValue::from_static(own));
}

/// One `Cookie` field, as HTTP/1.1 wants it (RFC 9113, section 8.2.3).
pub(crate) fn join_cookies(headers: &mut HeaderMap) {
    let mut values = headers.get_all(COOKIE).iter();
    if values.next().is_none() || values.next().is_none() {
        return;
    }
    let all: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::IdentityConfig;

    fn stripped(fields: &[(&str, &str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        strip_request(&mut headers, &IdentityConfig::default().try_into().unwrap());
        let mut fields: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        fields.sort();
        fields
    }

    #[test]
    fn what_is_between_neighbours_stays_there() {
        let fields = [
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("keep-alive", "1"),
            ("proxy-connection", "x"),
            ("proxy-authorization", "Basic x"),
            ("upgrade", "h2c"),
            ("http2-settings", "x"),
            ("te", "gzip, trailers"),
            ("trailer", "X-Auth-Subject, x"),
            ("expect", "100-continue"),
            ("x-kept", "1"),
        ];
        assert_eq!(stripped(&fields), ["te: trailers", "x-kept: 1"]);
        assert_eq!(
            stripped(&[("trailer", "grpc-status")]),
            ["trailer: grpc-status"]
        );
    }

    #[test]
    fn cookies_are_joined() {
        let mut headers = HeaderMap::new();
        for value in ["a=1", "b=2"] {
            headers.append(COOKIE, HeaderValue::from_static(value));
        }
        join_cookies(&mut headers);
        assert_eq!(
            headers.get_all(COOKIE).iter().collect::<Vec<_>>(),
            ["a=1; b=2"]
        );
    }
}
