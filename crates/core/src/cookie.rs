//! A token in a cookie, if the operator names one: for `EventSource`, images and other requests
//! that cannot set headers.
//!
//! A browser sends a cookie with every request to its host, also with those that another site
//! caused. So the cookie counts only for requests that change nothing (`GET`, `HEAD`), and only if
//! nothing shows that another site caused them: `Sec-Fetch-Site`, or else `Origin`. A WebSocket can
//! change things and is not bound by CORS: its `Origin` must be there and be this host. A
//! credential in a header comes first, and the cookie is ignored beside it.
//!
//! Does not check `SameSite`: a request does not show it. The application sets it.

use http::Method;
use http::header::{
    AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_KEY,
    UPGRADE,
};

/// A request, as far as a token in a cookie depends on it.
#[derive(Clone, Copy, Debug)]
pub struct CookieRequest<'r> {
    /// The method.
    pub method: &'r Method,
    /// The host of the request, with its port, if it is known from elsewhere than the header
    /// `Host`.
    pub host: Option<&'r str>,
    /// The header fields.
    pub headers: &'r HeaderMap,
}

impl<'r> CookieRequest<'r> {
    /// The headers with the token of this cookie in `Authorization`; `None` if the cookie does not
    /// count. Two cookies of that name become two credentials, which are refused.
    pub fn credential_headers(self, name: &str) -> Option<HeaderMap> {
        let mut values = cookies(self.headers, name).peekable();
        if values.peek().is_none() || self.headers.contains_key(AUTHORIZATION) || !self.counts() {
            return None;
        }
        let mut headers = self.headers.clone();
        let mut any = false;
        for value in values {
            let mut credential = HeaderValue::from_bytes(&[b"Bearer ", value].concat()).ok()?;
            // Keeps the token out of what prints headers.
            credential.set_sensitive(true);
            headers.append(AUTHORIZATION, credential);
            any |= !value.is_empty();
        }
        // An empty cookie is what a sign-out leaves.
        any.then_some(headers)
    }

    /// Whether the cookie counts: nothing shows that another site made the browser send it.
    fn counts(self) -> bool {
        if ![Method::GET, Method::HEAD].contains(self.method) {
            return false;
        }
        if self.is_websocket() {
            return self.has_own_origin() == Some(true) && self.is_of_site(&["same-origin"]);
        }
        if self.headers.contains_key(SEC_FETCH_SITE) {
            // Browsers set it, and scripts cannot. `none` is a person who typed the address.
            return self.is_of_site(&["same-origin", "same-site", "none"]);
        }
        // An older browser, or none: `Origin` tells of requests by scripts.
        self.has_own_origin() != Some(false)
    }

    /// Whether each `Sec-Fetch-Site` is one of these.
    fn is_of_site(self, accepted: &[&str]) -> bool {
        for site in self.headers.get_all(SEC_FETCH_SITE) {
            let Ok(site) = site.to_str() else {
                return false;
            };
            if !accepted.contains(&site) {
                return false;
            }
        }
        true
    }

    fn is_websocket(self) -> bool {
        self.headers.contains_key(UPGRADE) || self.headers.contains_key(SEC_WEBSOCKET_KEY)
    }

    /// Whether `Origin` is the host of the request; `None` without an `Origin`.
    fn has_own_origin(self) -> Option<bool> {
        let mut origins = self.headers.get_all(ORIGIN).iter();
        let origin = origins.next()?;
        if origins.next().is_some() {
            return Some(false);
        }
        let (Ok(origin), Some(host)) = (origin.to_str(), self.host()) else {
            return Some(false);
        };
        Some(is_origin_of(origin, host))
    }

    fn host(self) -> Option<&'r str> {
        match self.host {
            Some(host) => Some(host),
            None => self.headers.get(HOST)?.to_str().ok(),
        }
    }
}

/// Whether an origin is this host, the default port of its scheme written out or not.
fn is_origin_of(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return false,
    };
    let authority = authority.strip_suffix(port).unwrap_or(authority);
    let host = host.strip_suffix(port).unwrap_or(host);
    !authority.is_empty() && authority.eq_ignore_ascii_case(host)
}

/// Removes this cookie from a request, and nothing else. Returns whether there was one.
pub fn remove(headers: &mut HeaderMap, name: &str) -> bool {
    if cookies(headers, name).next().is_none() {
        return false;
    }
    // HTTP/2 may split cookies over several fields, so there may be more than one.
    let mut rest = Vec::new();
    for value in headers.get_all(COOKIE) {
        let others: Vec<&[u8]> = pairs(value)
            .filter(|pair| value_of(pair, name).is_none())
            .collect();
        if !others.is_empty() {
            rest.extend(HeaderValue::from_bytes(&others.join(&b"; "[..])));
        }
    }
    headers.remove(COOKIE);
    for value in rest {
        headers.append(COOKIE, value);
    }
    true
}

/// Whether a text can be the name of a cookie (RFC 6265, section 4.1.1).
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_character)
}

fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The values of the cookies with this name (RFC 6265, section 5.4), without quotes around them.
fn cookies<'r>(headers: &'r HeaderMap, name: &'r str) -> impl Iterator<Item = &'r [u8]> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(pairs)
        .filter_map(move |pair| value_of(pair, name))
        .map(unquote)
}

fn unquote(value: &[u8]) -> &[u8] {
    match value {
        [b'"', text @ .., b'"'] => text,
        _ => value,
    }
}

fn pairs(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value
        .as_bytes()
        .split(|byte| *byte == b';')
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty())
}

/// The value of a pair, if it has this name. White space around name and value does not count.
fn value_of<'p>(pair: &'p [u8], name: &str) -> Option<&'p [u8]> {
    let mut parts = pair.splitn(2, |byte| *byte == b'=');
    let (found, value) = (parts.next()?, parts.next()?);
    (found.trim_ascii() == name.as_bytes()).then_some(value.trim_ascii())
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    /// The credentials after the cookie was looked at.
    fn found(method: &Method, pairs: &[(&'static str, &'static str)]) -> Vec<String> {
        let headers = headers(pairs);
        let request = CookieRequest {
            method,
            host: Some("api.example:8443"),
            headers: &headers,
        };
        let presented = request
            .credential_headers("__Host-token")
            .unwrap_or_default();
        let values = presented.get_all(AUTHORIZATION).iter();
        values
            .map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap())
            .collect()
    }

    const OURS: (&str, &str) = ("cookie", "a=1; __Host-token=t; b=2");

    #[test]
    fn the_cookie_counts_for_requests_of_this_site_that_change_nothing() {
        for more in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[
                ("sec-fetch-site", "same-site"),
                ("origin", "https://app.example"),
            ],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://api.example:8443")],
            &[("origin", "https://API.example:8443")],
        ] {
            for method in [Method::GET, Method::HEAD] {
                assert_eq!(
                    found(&method, &[&[OURS], more].concat()),
                    ["Bearer t"],
                    "{method} {more:?}"
                );
            }
        }
    }

    #[test]
    fn the_cookie_counts_for_nothing_else() {
        for method in [
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
            Method::CONNECT,
        ] {
            assert!(found(&method, &[OURS]).is_empty(), "{method}");
            assert!(
                found(&method, &[OURS, ("sec-fetch-site", "same-origin")]).is_empty(),
                "{method}"
            );
        }
        for more in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "Same-Origin")],
            &[("sec-fetch-site", "")],
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://api.example:8443"),
            ],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://api.example")],
            &[("origin", "https://api.example:8443.evil.example")],
            &[
                ("origin", "https://api.example:8443"),
                ("origin", "https://evil.example"),
            ],
        ] {
            assert!(
                found(&Method::GET, &[&[OURS], more].concat()).is_empty(),
                "{more:?}"
            );
        }
    }

    #[test]
    fn a_websocket_needs_the_origin_of_this_host() {
        let upgrade = ("upgrade", "websocket");
        let key = ("sec-websocket-key", "x");
        let own = ("origin", "https://api.example:8443");
        for socket in [&[upgrade][..], &[key], &[upgrade, key]] {
            let with = |more: &[(&'static str, &'static str)]| {
                found(&Method::GET, &[&[OURS], socket, more].concat())
            };
            assert_eq!(with(&[own]), ["Bearer t"]);
            assert_eq!(
                with(&[own, ("sec-fetch-site", "same-origin")]),
                ["Bearer t"]
            );
            for more in [
                &[][..],
                &[("origin", "https://evil.example")],
                &[("origin", "null")],
                &[("sec-fetch-site", "same-origin")],
                &[own, ("sec-fetch-site", "same-site")],
            ] {
                assert!(with(more).is_empty(), "{more:?}");
            }
        }
    }

    #[test]
    fn a_header_comes_first_and_two_cookies_are_two_credentials() {
        for value in ["Bearer u", "Basic x", ""] {
            assert!(
                found(&Method::GET, &[OURS, ("authorization", value)]).is_empty(),
                "{value}"
            );
        }
        for pairs in [
            &[("cookie", "__Host-token=t; __Host-token=u")][..],
            &[("cookie", "__Host-token=t"), ("cookie", "__Host-token=u")],
            &[("cookie", "__Host-token=; __Host-token=u")],
        ] {
            assert_eq!(found(&Method::GET, pairs).len(), 2, "{pairs:?}");
        }
        for value in [
            "__host-token=t",
            "__Host-token",
            "x__Host-token=t",
            "a=__Host-token=t",
            "__Host-token=",
            "",
        ] {
            assert!(
                found(&Method::GET, &[("cookie", value)]).is_empty(),
                "{value}"
            );
        }
        for value in [
            "__Host-token=\"t\"",
            " __Host-token = t ;",
            ";;__Host-token=t",
        ] {
            assert_eq!(
                found(&Method::GET, &[("cookie", value)]),
                ["Bearer t"],
                "{value}"
            );
        }
        assert_eq!(
            found(&Method::GET, &[("cookie", "__Host-token=a=b")]),
            ["Bearer a=b"]
        );
    }

    #[test]
    fn the_host_header_serves_where_nothing_else_names_the_host() {
        let headers = headers(&[
            OURS,
            ("host", "api.example"),
            ("origin", "https://api.example"),
        ]);
        let request = CookieRequest {
            method: &Method::GET,
            host: None,
            headers: &headers,
        };
        assert!(request.credential_headers("__Host-token").is_some());
        let request = CookieRequest {
            host: Some("other.example"),
            ..request
        };
        assert!(request.credential_headers("__Host-token").is_none());
    }

    #[test]
    fn only_this_cookie_is_removed() {
        for (before, after) in [
            (&["a=1; t=x; b=2"][..], &["a=1; b=2"][..]),
            (&["t=x"], &[]),
            (&["t=x; t=y", "a=1"], &["a=1"]),
            (&[" t = x;a=1"], &["a=1"]),
            (&["a=t; tt=1;"], &["a=t; tt=1;"]),
        ] {
            let mut headers = HeaderMap::new();
            before
                .iter()
                .for_each(|value| _ = headers.append(COOKIE, HeaderValue::from_static(value)));
            assert_eq!(remove(&mut headers, "t"), before != after);
            let left: Vec<&HeaderValue> = headers.get_all(COOKIE).iter().collect();
            assert_eq!(left, after, "{before:?}");
        }
        assert!(
            is_name("__Host-token")
                && !is_name("")
                && !is_name("a b")
                && !is_name("a=b")
                && !is_name("a;b")
        );
    }
}
