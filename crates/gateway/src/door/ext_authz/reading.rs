//! From a message to the request that it tells of, read as strictly as one of HTTP.
//!
//! Refused are messages without a request, with one part of it told twice and differently, with a
//! host or a method missing, and with headers that are none. Envoy joins the values of a repeated
//! header by a comma: an `Authorization` that looks like two is taken for two.

use super::message::{CheckRequest, Entry, HeaderList, HttpRequest, Peer, RawHeader};
use crate::refusal::Refusal;
use crate::request::host::HostPattern;
use crate::request::target::Target;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use std::net::IpAddr;

/// No request has more headers. Envoy itself takes 100 where nothing else is said.
const MOST_HEADERS: usize = 1_024;

/// What a message tells.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) headers: HeaderMap,
    pub(super) original: Result<(Method, Target), Refusal>,
    /// The other end of Envoy's connection, if it is told.
    pub(super) source: Option<IpAddr>,
    /// The target in the spelling that is decided on, if it was told in another one.
    pub(super) respelled: Option<String>,
}

impl Told {
    /// Reads a message. `token_header` is the other one that may hold a token.
    pub(super) fn read(
        message: CheckRequest,
        token_header: Option<&HeaderName>,
        served: &[HostPattern],
    ) -> Self {
        let (source, request) = message
            .attributes
            .map(|it| (it.source, it.request))
            .unwrap_or_default();
        let http = request.and_then(|it| it.http);
        let Some(mut http) = http else {
            return Self::nothing(Refusal::Original("a message without an HTTP request"));
        };
        let headers = match headers(&mut http, token_header) {
            Ok(headers) => headers,
            Err(refusal) => return Self::nothing(refusal),
        };
        let source = source.as_ref().and_then(address);
        match original(&http, served) {
            Ok((original, respelled)) => Self {
                headers,
                original: Ok(original),
                source,
                respelled,
            },
            Err(refusal) => Self {
                headers,
                original: Err(refusal),
                source,
                respelled: None,
            },
        }
    }

    /// A message that cannot be read.
    pub(super) fn nothing(refusal: Refusal) -> Self {
        Self {
            headers: HeaderMap::new(),
            original: Err(refusal),
            source: None,
            respelled: None,
        }
    }
}

/// Where Envoy's connection comes from. Of a pipe there is nothing to tell.
fn address(peer: &Peer) -> Option<IpAddr> {
    let text = &peer.address.as_ref()?.socket_address.as_ref()?.address;
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn original(
    http: &HttpRequest,
    served: &[HostPattern],
) -> Result<((Method, Target), Option<String>), Refusal> {
    if !matches!(&*http.scheme, b"" | b"http" | b"https" | b"ws" | b"wss") {
        return Err(Refusal::Original("a scheme that is not HTTP"));
    }
    if !matches!(
        &*http.protocol,
        b"" | b"HTTP/1.0" | b"HTTP/1.1" | b"HTTP/2" | b"HTTP/3"
    ) {
        return Err(Refusal::Original("an unknown version of HTTP"));
    }
    if !http.fragment.is_empty() {
        return Err(Refusal::Target("a fragment"));
    }
    let method =
        Method::from_bytes(&http.method).map_err(|_| Refusal::Original("a malformed method"))?;
    let written = target(text(&http.path)?, text(&http.query)?)?;
    let target = Target::parse(&method, text(&http.host)?, &written, served)?;
    let decided = target.path_and_query()?.to_string();
    let respelled = (decided != written).then_some(decided);
    Ok(((method, target), respelled))
}

/// The path has the query with it, but some who are not Envoy tell it apart.
fn target(path: &str, query: &str) -> Result<String, Refusal> {
    match path.split_once('?') {
        Some((_, same)) if query.is_empty() || query == same => Ok(path.to_owned()),
        Some(_) => Err(Refusal::Original("two queries")),
        None if query.is_empty() => Ok(path.to_owned()),
        None => Ok(format!("{path}?{query}")),
    }
}

fn text(bytes: &Bytes) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).map_err(|_| Refusal::Original("a text that is not UTF-8"))
}

fn headers(
    http: &mut HttpRequest,
    token_header: Option<&HeaderName>,
) -> Result<HeaderMap, Refusal> {
    let (joined, apart) = (
        std::mem::take(&mut http.headers),
        http.header_map.take().unwrap_or_default(),
    );
    if !joined.is_empty() && !apart.headers.is_empty() {
        return Err(Refusal::Original("the headers twice"));
    }
    if joined.len().max(apart.headers.len()) > MOST_HEADERS {
        return Err(Refusal::Original("too many headers"));
    }
    let mut headers = HeaderMap::new();
    let HeaderList { headers: apart } = apart;
    for RawHeader {
        key,
        value,
        raw_value,
    } in apart
    {
        if !value.is_empty() && !raw_value.is_empty() {
            return Err(Refusal::Original("the value of a header twice"));
        }
        let value = if value.is_empty() { raw_value } else { value };
        add(&mut headers, http, &key, value)?;
    }
    for Entry { key, value } in joined {
        add(&mut headers, http, &key, value)?;
    }
    split_joined(&mut headers, token_header);
    Ok(headers)
}

/// Takes apart what Envoy has joined where a token may be: it does so for `Authorization` even
/// among raw headers.
pub(super) fn split_joined(headers: &mut HeaderMap, token_header: Option<&HeaderName>) {
    for name in [&AUTHORIZATION].into_iter().chain(token_header) {
        let values: Vec<Bytes> = headers
            .get_all(name)
            .iter()
            .flat_map(|value| credentials(&Bytes::copy_from_slice(value.as_bytes())))
            .collect();
        if values.len() > 1 {
            headers.remove(name);
            for value in values
                .into_iter()
                .filter_map(|value| HeaderValue::from_maybe_shared(value).ok())
            {
                headers.append(name, value);
            }
        }
    }
}

fn add(
    headers: &mut HeaderMap,
    http: &HttpRequest,
    key: &[u8],
    value: Bytes,
) -> Result<(), Refusal> {
    if key.starts_with(b":") {
        return check_pseudo(http, key, &value);
    }
    let name =
        HeaderName::from_bytes(key).map_err(|_| Refusal::Original("a malformed header name"))?;
    let value = HeaderValue::from_maybe_shared(value)
        .map_err(|_| Refusal::Original("a malformed header value"))?;
    headers
        .try_append(name, value)
        .map_err(|_| Refusal::Original("too many headers"))?;
    Ok(())
}

/// Envoy tells method, path and host among the headers as well. They are the same, or there are two
/// requests.
fn check_pseudo(http: &HttpRequest, key: &[u8], value: &Bytes) -> Result<(), Refusal> {
    let other = match key {
        b":method" => &http.method,
        b":path" => &http.path,
        b":authority" => &http.host,
        _ => return Ok(()),
    };
    if other == value {
        Ok(())
    } else {
        Err(Refusal::Original("two requests in one message"))
    }
}

/// The values that were joined: a comma with a scheme behind it begins another credential. A token
/// holds no comma, so nothing is let through by this that would not be otherwise.
fn credentials(joined: &Bytes) -> Vec<Bytes> {
    let mut values = Vec::new();
    let mut start = 0;
    for (at, _) in joined.iter().enumerate().filter(|(_, byte)| **byte == b',') {
        if begins_credential(joined.get(at + 1..).unwrap_or_default()) {
            values.push(joined.slice(start..at));
            start = at + 1;
        }
    }
    values.push(joined.slice(start..));
    values
}

/// A scheme and a space, or nothing but one of the schemes that are read here: not a parameter such
/// as `realm="x"`, nor more of a token.
fn begins_credential(text: &[u8]) -> bool {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let end = text
        .iter()
        .position(|byte| !is_token(byte))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    let alone = || {
        word.is_empty()
            || [&b"bearer"[..], b"dpop"]
                .iter()
                .any(|it| it.eq_ignore_ascii_case(word))
    };
    match rest.first() {
        Some(b' ') => !word.is_empty(),
        Some(b',') | None => alone(),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::{Attributes, Request};
    use super::*;

    fn http() -> HttpRequest {
        HttpRequest {
            method: "GET".into(),
            path: "/a?b".into(),
            host: "gw.example".into(),
            ..HttpRequest::default()
        }
    }

    fn read(http: HttpRequest) -> Result<(HeaderMap, String), &'static str> {
        let attributes = Attributes {
            request: Some(Request { http: Some(http) }),
            source: None,
        };
        let message = CheckRequest {
            attributes: Some(attributes),
        };
        let Told {
            headers, original, ..
        } = Told::read(message, None, &[]);
        original
            .map(|(_, target)| (headers, target.path_and_query().unwrap().to_string()))
            .map_err(|it| it.code())
    }

    fn entry(key: &'static str, value: &'static str) -> Entry {
        Entry {
            key: key.into(),
            value: value.into(),
        }
    }

    fn raw(key: &'static str, value: &'static [u8]) -> RawHeader {
        RawHeader {
            key: key.into(),
            value: Bytes::new(),
            raw_value: value.into(),
        }
    }

    #[test]
    fn a_request_is_told_once() {
        assert_eq!(read(http()).unwrap().1, "/a?b");
        let apart = HttpRequest {
            path: "/a".into(),
            query: "b".into(),
            ..http()
        };
        assert_eq!(read(apart).unwrap().1, "/a?b");
        let same = vec![
            entry(":path", "/a?b"),
            entry(":method", "GET"),
            entry(":authority", "gw.example"),
        ];
        assert!(
            read(HttpRequest {
                headers: same,
                ..http()
            })
            .unwrap()
            .0
            .is_empty()
        );
        for (refused, code) in [
            (
                HttpRequest {
                    query: "c".into(),
                    ..http()
                },
                "door.original",
            ),
            (
                HttpRequest {
                    fragment: "c".into(),
                    ..http()
                },
                "request.target",
            ),
            (
                HttpRequest {
                    path: "/a#c".into(),
                    ..http()
                },
                "request.target",
            ),
            (
                HttpRequest {
                    path: Bytes::new(),
                    ..http()
                },
                "request.path",
            ),
            (
                HttpRequest {
                    path: b"/\xff"[..].into(),
                    ..http()
                },
                "door.original",
            ),
            (
                HttpRequest {
                    host: Bytes::new(),
                    ..http()
                },
                "request.host",
            ),
            (
                HttpRequest {
                    method: Bytes::new(),
                    ..http()
                },
                "door.original",
            ),
            (
                HttpRequest {
                    method: "get".into(),
                    ..http()
                },
                "request.method",
            ),
            (
                HttpRequest {
                    scheme: "ftp".into(),
                    ..http()
                },
                "door.original",
            ),
            (
                HttpRequest {
                    protocol: "HTTP/9".into(),
                    ..http()
                },
                "door.original",
            ),
            (
                HttpRequest {
                    headers: vec![entry(":path", "/admin")],
                    ..http()
                },
                "door.original",
            ),
            (
                HttpRequest {
                    headers: vec![entry(":authority", "evil.example")],
                    ..http()
                },
                "door.original",
            ),
            (
                HttpRequest {
                    headers: vec![entry("a b", "c")],
                    ..http()
                },
                "door.original",
            ),
            (
                HttpRequest {
                    headers: vec![entry("a", "b\nc")],
                    ..http()
                },
                "door.original",
            ),
            (
                HttpRequest {
                    headers: vec![entry("a", "b"); MOST_HEADERS + 1],
                    ..http()
                },
                "door.original",
            ),
        ] {
            assert_eq!(
                read(refused.clone()).err(),
                Some(code),
                "{}",
                String::from_utf8_lossy(&refused.path)
            );
        }
        assert_eq!(
            Told::read(CheckRequest::default(), None, &[])
                .original
                .unwrap_err()
                .code(),
            "door.original"
        );
    }

    #[test]
    fn headers_are_told_joined_or_apart() {
        let list = HeaderList {
            headers: vec![raw("a", b"\xff"), raw("A", b"2")],
        };
        let apart = read(HttpRequest {
            header_map: Some(list.clone()),
            ..http()
        })
        .unwrap()
        .0;
        assert_eq!(
            apart
                .get_all("a")
                .iter()
                .map(HeaderValue::as_bytes)
                .collect::<Vec<_>>(),
            [b"\xff", &b"2"[..]]
        );
        let both = HttpRequest {
            header_map: Some(list),
            headers: vec![entry("a", "1")],
            ..http()
        };
        assert_eq!(read(both).err(), Some("door.original"));
        let two = RawHeader {
            value: "1".into(),
            ..raw("a", b"2")
        };
        let list = HeaderList { headers: vec![two] };
        assert_eq!(
            read(HttpRequest {
                header_map: Some(list),
                ..http()
            })
            .err(),
            Some("door.original")
        );
        // Envoy joins this one before anybody sees it.
        let list = HeaderList {
            headers: vec![raw("authorization", b"Bearer a,Bearer b")],
        };
        let headers = read(HttpRequest {
            header_map: Some(list),
            ..http()
        })
        .unwrap()
        .0;
        assert_eq!(headers.get_all(AUTHORIZATION).iter().count(), 2);
        // A map that holds a key twice.
        let twice = vec![
            entry("authorization", "Bearer a"),
            entry("authorization", "Bearer b"),
        ];
        let headers = read(HttpRequest {
            headers: twice,
            ..http()
        })
        .unwrap()
        .0;
        assert_eq!(headers.get_all(AUTHORIZATION).iter().count(), 2);
    }

    #[test]
    fn joined_credentials_are_told_apart() {
        for (joined, count) in [
            ("Bearer a", 1),
            ("Bearer a,Bearer b", 2),
            ("Basic a,Bearer b", 2),
            ("Bearer a,DPoP b,Bearer c", 3),
            ("Bearer a,", 2),
            (",Bearer a", 2),
            ("Bearer a,Bearer", 2),
            ("Bearer a,b.c,bearer", 2),
            ("", 1),
            // One header with commas of its own.
            ("Bearer a, realm=\"x\"", 1),
            ("Bearer a.b.c,a.b.c", 1),
            ("Digest username=\"u\",realm=\"r\",qop=auth", 1),
        ] {
            assert_eq!(
                credentials(&Bytes::from_static(joined.as_bytes())).len(),
                count,
                "{joined}"
            );
        }
    }
}
