//! Hop-by-hop fields, and what a proxy adds about itself (RFC 9110, section 7.6).

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
use portcullis_core::HttpScheme;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// Hop-by-hop fields, besides those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 6] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];
// The gateway sends `100 Continue` itself, when it begins to read the body.
/// Fields that a client sends to the gateway alone.
const FOR_GATEWAY: [HeaderName; 3] = [PROXY_AUTHORIZATION, HTTP2_SETTINGS, EXPECT];

/// Removes the fields of a request that are for the gateway alone.
pub(crate) fn strip_request(headers: &mut HeaderMap, identity: &IdentitySettings) {
    // Before the gateway adds its own fields: otherwise `Connection` could name those, and the
    // upstream would not learn who calls.
    let trailers = wants_trailers(headers);
    let bad_trailer = announces_reserved_trailer(headers, identity);
    strip(headers, |name, headers| {
        FOR_GATEWAY.contains(name)
            || (bad_trailer && *name == TRAILER)
            || identity.is_kept_back(name, headers)
    });
    identity.strip_cookie(headers);
    // gRPC servers refuse calls without it.
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Removes the fields of a response that are for the gateway alone, and challenges that no client
/// of a gateway can answer.
pub(crate) fn strip_response(headers: &mut HeaderMap) {
    strip(headers, |name, _| *name == PROXY_AUTHENTICATE);
    challenges::strip(headers);
}

/// Removes hop-by-hop fields, and those that `goes` names.
fn strip(headers: &mut HeaderMap, goes: impl Fn(&HeaderName, &HeaderMap) -> bool) {
    let mut removed = Vec::new();
    for name in list_members(headers, &CONNECTION) {
        removed.extend(HeaderName::try_from(name).ok());
    }
    // Each field is checked once. A lookup of each possible name would cost more, as most names
    // are never there.
    for name in headers.keys() {
        if HOP_BY_HOP.contains(name) || goes(name, headers) {
            removed.push(name.clone());
        }
    }
    for name in removed {
        headers.remove(name);
    }
}

fn announces_reserved_trailer(headers: &HeaderMap, identity: &IdentitySettings) -> bool {
    for name in list_members(headers, &TRAILER) {
        if identity.is_reserved(&name.to_ascii_lowercase()) {
            return true;
        }
    }
    false
}

fn wants_trailers(headers: &HeaderMap) -> bool {
    list_members(headers, &TE).any(|coding| coding.eq_ignore_ascii_case("trailers"))
}

/// What the upstream is told of the client's own request.
pub(crate) struct ClientView<'r> {
    /// What trusted proxies say of those before them, or empty.
    pub(crate) before: &'r str,
    pub(crate) host: &'r Host,
    /// `None` where a trusted proxy names it unreadably: then that of the connection counts.
    pub(crate) scheme: Option<HttpScheme>,
}

/// Replaces the `X-Forwarded-*` fields by what the gateway knows of the client.
pub(crate) fn add_forwarded(
    headers: &mut HeaderMap,
    peer: Peer,
    client: &ClientView<'_>,
    values: &mut Values,
) {
    if !client.before.is_empty() {
        values.push(client.before);
        values.push(", ");
    }
    values.push_address(peer.address);
    values.set(headers, FORWARDED_FOR);
    values.push(client.host.authority());
    values.set(headers, FORWARDED_HOST);
    let scheme = client.scheme.unwrap_or(peer.scheme());
    let scheme = HeaderValue::from_static(scheme.name());
    headers.insert(FORWARDED_PROTO, scheme);
}

/// Adds the gateway to `Via` (RFC 9110, section 7.6.3).
pub(crate) fn add_via(headers: &mut HeaderMap, version: Version) {
    let own = match version {
        Version::HTTP_10 => "1.0 portcullis",
        Version::HTTP_2 => "2.0 portcullis",
        _ => "1.1 portcullis",
    };
    headers.append(VIA, HeaderValue::from_static(own));
}

/// Joins `Cookie` fields, as HTTP/1.1 demands (RFC 9113, section 8.2.3).
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
    fn hop_by_hop_fields_are_not_forwarded() {
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
    fn via_names_the_version_that_came_in() {
        for (version, told) in [
            (Version::HTTP_10, "1.0 portcullis"),
            (Version::HTTP_11, "1.1 portcullis"),
            (Version::HTTP_2, "2.0 portcullis"),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(VIA, HeaderValue::from_static("1.1 before"));
            add_via(&mut headers, version);
            let via: Vec<_> = headers.get_all(VIA).iter().collect();
            assert_eq!(via, ["1.1 before", told]);
        }
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
