//! A method, the name of a cookie and header fields, a line each: the cookie is a credential only
//! where nothing else is, and where no other site made the browser ask; it is removed alone.

use http::Method;
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use portcullis_core::cookie::{CookieRequest, is_name, remove};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(crate) fn run(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let Ok(method) = Method::from_bytes(lines.next().unwrap_or_default()) else {
        return;
    };
    let name = std::str::from_utf8(lines.next().unwrap_or_default()).ok();
    let Some(name) = name.filter(|name| is_name(name)) else {
        return;
    };
    let headers: HeaderMap = lines.take(64).filter_map(field).collect();
    presented(&method, &headers, name);
    removed(&headers, name);
}

fn field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let at = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..at]).ok()?;
    Some((
        name,
        HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?,
    ))
}

/// The pairs of all `Cookie` fields, with what stands for their names.
fn pairs(headers: &HeaderMap) -> Vec<(&[u8], Option<&[u8]>)> {
    let values = headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let pairs = values
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty());
    let name = |pair: &[u8]| pair.iter().position(|byte| *byte == b'=');
    pairs
        .map(|pair| (pair, name(pair).map(|at| pair[..at].trim_ascii())))
        .collect()
}

fn presented(method: &Method, headers: &HeaderMap, name: &str) {
    let asked = |method: &Method, headers: &HeaderMap| {
        CookieRequest {
            method,
            host: Some("gw.example"),
            headers,
        }
        .credential_headers(name)
    };
    let found = asked(method, headers);
    let values: Vec<&[u8]> = pairs(headers)
        .into_iter()
        .filter(|(_, found)| *found == Some(name.as_bytes()))
        .map(|(pair, _)| {
            pair.splitn(2, |byte| *byte == b'=')
                .nth(1)
                .unwrap_or_default()
                .trim_ascii()
        })
        .map(|value| {
            value
                .strip_prefix(b"\"")
                .and_then(|rest| rest.strip_suffix(b"\""))
                .unwrap_or(value)
        })
        .collect();
    let Some(presented) = found else {
        // Where nothing speaks against it, a cookie counts.
        let speaks = [
            AUTHORIZATION,
            SITE,
            ORIGIN,
            http::header::UPGRADE,
            http::header::SEC_WEBSOCKET_KEY,
        ];
        let is_silent =
            method == Method::GET && !speaks.iter().any(|name| headers.contains_key(name));
        assert!(
            !is_silent || values.iter().all(|value| value.is_empty()),
            "a good cookie was overlooked"
        );
        return;
    };
    assert!([Method::GET, Method::HEAD].contains(method));
    assert!(
        !headers.contains_key(AUTHORIZATION),
        "a cookie beside a header"
    );
    let credentials: Vec<Vec<u8>> = values
        .iter()
        .map(|value| [b"Bearer ", *value].concat())
        .collect();
    let held: Vec<&[u8]> = presented
        .get_all(AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    assert_eq!(held, credentials);
    assert!(
        presented
            .get_all(AUTHORIZATION)
            .iter()
            .all(HeaderValue::is_sensitive)
    );
    let mut others = presented;
    others.remove(AUTHORIZATION);
    assert_eq!(others, *headers);
    // What another site makes a browser ask, and what changes something.
    let is_foreign = |value: &HeaderValue| {
        !["same-origin", "same-site", "none"]
            .iter()
            .any(|site| value == site)
    };
    assert!(!headers.get_all(SITE).iter().any(is_foreign));
    assert_eq!(asked(&Method::POST, headers), None);
    let with = |name: &HeaderName, value: &'static str| {
        let mut headers = headers.clone();
        headers.append(name, HeaderValue::from_static(value));
        asked(method, &headers)
    };
    assert_eq!(with(&SITE, "cross-site"), None);
    assert_eq!(with(&AUTHORIZATION, "Basic YTpi"), None);
    let is_websocket = headers.contains_key("upgrade") || headers.contains_key("sec-websocket-key");
    if is_websocket || !headers.contains_key(SITE) {
        assert_eq!(with(&ORIGIN, "https://evil.example"), None);
        let own = headers
            .get(ORIGIN)
            .and_then(|value| value.to_str().ok());
        assert!(own.map_or(!is_websocket, is_own), "{own:?}");
    }
}

/// Whether an origin is the host that was asked, as another library reads it.
fn is_own(origin: &str) -> bool {
    let Ok(url) = url::Url::parse(origin) else {
        return false;
    };
    url.host_str() == Some("gw.example") && url.port().is_none()
}

fn removed(headers: &HeaderMap, name: &str) {
    let mut left = headers.clone();
    let was_there = remove(&mut left, name);
    let others = |headers: &HeaderMap| -> Vec<Vec<u8>> {
        let others = pairs(headers)
            .into_iter()
            .filter(|(_, found)| *found != Some(name.as_bytes()));
        others.map(|(pair, _)| pair.to_vec()).collect()
    };
    assert_eq!(pairs(&left).len(), others(&left).len(), "it is still there");
    assert_eq!(others(&left), others(headers), "another cookie was touched");
    assert_eq!(was_there, pairs(headers).len() > others(headers).len());
    assert!(was_there || left == *headers);
    assert_eq!(
        CookieRequest {
            method: &Method::GET,
            host: None,
            headers: &left
        }
        .credential_headers(name),
        None
    );
    let (mut left, mut before) = (left, headers.clone());
    _ = (left.remove(COOKIE), before.remove(COOKIE));
    assert_eq!(left, before, "another header was touched");
}
