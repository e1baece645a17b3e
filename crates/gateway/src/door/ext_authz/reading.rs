//! From a message to the request that it describes, read as strictly as one of HTTP.
//!
//! A message is refused if it has no request, if it states one part twice and differently, if host
//! or method are missing, or if its headers are malformed. Envoy joins the values of a repeated
//! header by a comma, so an `Authorization` that looks like two counts as two.

use super::certificate;
use super::message::{CheckRequest, HeaderEntry, HttpRequest, RawHeader, SourcePeer};
use crate::refusal::Refusal;
use crate::request::certificate::FieldJoining;
use crate::request::host::HostPattern;
use crate::request::target::Target;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use portcullis_core::HttpScheme;
use portcullis_core::proof::Thumbprint;
use std::net::IpAddr;

/// Most headers of a request. Envoy itself takes 100 unless it is configured otherwise.
const MOST_HEADERS: usize = 1_024;

/// The content of a message.
#[derive(Debug)]
pub(super) struct CheckContent {
    pub(super) headers: HeaderMap,
    pub(super) original: Result<(Method, Target), Refusal>,
    /// The other end of Envoy's connection, if the message names it.
    pub(super) source: Option<IpAddr>,
    /// The certificate of that connection, if the message has it.
    pub(super) certificate: Option<Thumbprint>,
    /// Whether repeated headers came as one.
    pub(super) joining: FieldJoining,
    /// The target in the spelling that is decided on, if the message has another one.
    pub(super) respelled: Option<String>,
}

impl CheckContent {
    /// Reads a message. `token_header` is the other header that may hold a token.
    pub(super) fn read(
        message: CheckRequest,
        token_header: Option<&HeaderName>,
        served: &[HostPattern],
    ) -> Self {
        let attributes = message.attributes.unwrap_or_default();
        let Some(mut http) = attributes.request.and_then(|request| request.http) else {
            return Self::unreadable("a message without an HTTP request");
        };
        let joining = match http.header_map {
            Some(_) => FieldJoining::Never,
            None => FieldJoining::Possible,
        };
        let headers = match take_headers(&mut http, token_header) {
            Ok(headers) => headers,
            Err(fault) => return Self::unreadable(fault),
        };
        let source = attributes.source.as_ref().and_then(address);
        let shown = attributes.source.as_ref();
        let certificate = shown.and_then(|peer| certificate::of_message(&peer.certificate));
        let (original, respelled) = match read_original(&http, served) {
            Ok((method, target, respelled)) => (Ok((method, target)), respelled),
            Err(refusal) => (Err(refusal), None),
        };
        Self {
            headers,
            original,
            source,
            certificate,
            joining,
            respelled,
        }
    }

    /// The content of a message that cannot be read.
    pub(super) fn unreadable(fault: &'static str) -> Self {
        Self {
            headers: HeaderMap::new(),
            original: Err(Refusal::Original(fault)),
            source: None,
            certificate: None,
            joining: FieldJoining::Possible,
            respelled: None,
        }
    }
}

/// The address that Envoy's connection comes from. A pipe has none.
fn address(peer: &SourcePeer) -> Option<IpAddr> {
    let text = &peer.address.as_ref()?.socket_address.as_ref()?.address;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Method and target, and the target in its one spelling if the message has another one.
fn read_original(
    http: &HttpRequest,
    served: &[HostPattern],
) -> Result<(Method, Target, Option<String>), Refusal> {
    let scheme = match &*http.scheme {
        b"" => None,
        b"http" | b"ws" => Some(HttpScheme::Http),
        b"https" | b"wss" => Some(HttpScheme::Https),
        _ => return Err(Refusal::Original("a scheme that is not HTTP")),
    };
    let known = [&b""[..], b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2", b"HTTP/3"];
    if !known.contains(&&*http.protocol) {
        return Err(Refusal::Original("an unknown version of HTTP"));
    }
    // Envoy never sends one; servers cut it off at different places.
    if !http.fragment.is_empty() {
        return Err(Refusal::Target("a fragment"));
    }
    let method = Method::from_bytes(&http.method);
    let method = method.or(Err(Refusal::Original("a malformed method")))?;
    let written = written_target(text(&http.path)?, text(&http.query)?)?;
    let target = Target::parse(&method, text(&http.host)?, &written, served)?.over(scheme);
    // Envoy forwards its own spelling unless the answer replaces it by the one decided on.
    let decided = target.path_and_query()?.to_string();
    let respelled = (decided != written).then_some(decided);
    Ok((method, target, respelled))
}

/// The target as it was sent. Envoy's path has the query with it; others give it apart.
fn written_target(path: &str, query: &str) -> Result<String, Refusal> {
    match path.split_once('?') {
        _ if query.is_empty() => Ok(path.to_owned()),
        Some((_, same)) if query == same => Ok(path.to_owned()),
        Some(_) => Err(Refusal::Original("two queries")),
        None => Ok(format!("{path}?{query}")),
    }
}

fn text(bytes: &Bytes) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).or(Err(Refusal::Original("a text that is not UTF-8")))
}

/// Takes the headers out of a message, which has them joined in a map or apart in a list.
fn take_headers(
    http: &mut HttpRequest,
    token_header: Option<&HeaderName>,
) -> Result<HeaderMap, &'static str> {
    let joined = std::mem::take(&mut http.headers);
    let apart = http.header_map.take().unwrap_or_default().headers;
    if !joined.is_empty() && !apart.is_empty() {
        return Err("the headers twice");
    }
    // `HeaderMap` has a limit of its own, but a far higher one.
    if joined.len().max(apart.len()) > MOST_HEADERS {
        return Err("too many headers");
    }
    let mut headers = HeaderMap::new();
    for RawHeader {
        key,
        value,
        raw_value,
    } in apart
    {
        // Envoy fills one of the two. With both, readers could decide on one and forward the other.
        if !value.is_empty() && !raw_value.is_empty() {
            return Err("the value of a header twice");
        }
        let value = if value.is_empty() { raw_value } else { value };
        add(&mut headers, http, &key, value)?;
    }
    for HeaderEntry { key, value } in joined {
        add(&mut headers, http, &key, value)?;
    }
    split_joined(&mut headers, token_header);
    Ok(headers)
}

/// Splits the values that Envoy has joined where a token may be. It joins `Authorization` even
/// among raw headers.
pub(super) fn split_joined(headers: &mut HeaderMap, token_header: Option<&HeaderName>) {
    for name in [&AUTHORIZATION].into_iter().chain(token_header) {
        let mut values: Vec<Bytes> = Vec::new();
        for value in headers.get_all(name) {
            values.extend(credentials(&Bytes::copy_from_slice(value.as_bytes())));
        }
        if values.len() <= 1 {
            continue;
        }
        headers.remove(name);
        for value in values {
            if let Ok(value) = HeaderValue::from_maybe_shared(value) {
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
) -> Result<(), &'static str> {
    if key.starts_with(b":") {
        return check_pseudo(http, key, &value);
    }
    let name = HeaderName::from_bytes(key).or(Err("a malformed header name"))?;
    let value = HeaderValue::from_maybe_shared(value).or(Err("a malformed header value"))?;
    match headers.try_append(name, value) {
        Ok(_) => Ok(()),
        Err(_) => Err("too many headers"),
    }
}

/// Checks a pseudo-header. Envoy repeats method, path and host among the headers; if they differ,
/// the message holds two requests.
fn check_pseudo(http: &HttpRequest, key: &[u8], value: &Bytes) -> Result<(), &'static str> {
    let other = match key {
        b":method" => &http.method,
        b":path" => &http.path,
        b":authority" => &http.host,
        _ => return Ok(()),
    };
    if other != value {
        return Err("two requests in one message");
    }
    Ok(())
}

/// The values that were joined: a comma with a scheme behind it begins another credential. A token
/// holds no comma, so splitting can only add credentials, and two are refused.
fn credentials(joined: &Bytes) -> Vec<Bytes> {
    let mut values = Vec::new();
    let mut start = 0;
    for (at, byte) in joined.iter().enumerate() {
        if *byte == b',' && begins_credential(joined.get(at + 1..).unwrap_or_default()) {
            values.push(joined.slice(start..at));
            start = at + 1;
        }
    }
    values.push(joined.slice(start..));
    values
}

/// Whether a text begins with a scheme and a space, or is nothing but a scheme that is read here. A
/// parameter such as `realm="x"` does not count, nor does more of a token.
fn begins_credential(text: &[u8]) -> bool {
    let mut words = text.splitn(2, |byte| !is_token_byte(*byte));
    let word = words.next().unwrap_or_default();
    match text.get(word.len()) {
        Some(b' ') => !word.is_empty(),
        Some(b',') | None => {
            word.is_empty()
                || word.eq_ignore_ascii_case(b"bearer")
                || word.eq_ignore_ascii_case(b"dpop")
        }
        Some(_) => false,
    }
}

/// A byte of a token in the sense of RFC 9110, section 5.6.2, such as the name of a scheme.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::super::message::{Attributes, HeaderList, Request};
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
        let CheckContent {
            headers, original, ..
        } = CheckContent::read(message, None, &[]);
        original
            .map(|(_, target)| (headers, target.path_and_query().unwrap().to_string()))
            .map_err(|it| it.code())
    }

    fn entry(key: &'static str, value: &'static str) -> HeaderEntry {
        HeaderEntry {
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
            CheckContent::read(CheckRequest::default(), None, &[])
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
