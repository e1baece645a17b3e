//! CORS preflights (Fetch, section 4.8), which browsers send without a credential.
//!
//! With `public_preflight` they need no token, so a request counts as one only if the upstream sees
//! a preflight too: it has no body, and its headers arrive. A header that `Connection` names is
//! removed on the way, and two values of one header are read in different ways.

use crate::request::fields::listed;
use crate::request::incoming::IncomingRequest;
use http::Method;
use http::header::{
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONNECTION, CONTENT_LENGTH,
    HeaderMap, HeaderName, HeaderValue, ORIGIN, TRANSFER_ENCODING,
};

/// Whether a request is a preflight, and stays one on its way to the upstream.
pub(crate) fn is_preflight(request: &IncomingRequest<'_>) -> bool {
    let headers = &request.headers;
    request.method == Method::OPTIONS
        && !request.has_body
        && !announces_body(headers)
        && single(headers, &ORIGIN).is_some_and(|origin| !origin.is_empty())
        && single(headers, &ACCESS_CONTROL_REQUEST_METHOD)
            .is_some_and(|asked| Method::from_bytes(asked.as_bytes()).is_ok())
        && headers
            .get_all(ACCESS_CONTROL_REQUEST_HEADERS)
            .iter()
            .count()
            <= 1
        && !listed(headers, &CONNECTION).any(is_of_preflight)
}

/// The value of a header that is there once.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Whether the head says that a body follows.
pub(crate) fn announces_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
        || headers.get_all(CONTENT_LENGTH).iter().any(|it| it != "0")
}

/// Whether a header makes a request a preflight, or is part of what it asks.
fn is_of_preflight(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == ORIGIN.as_str() || name.starts_with("access-control-request-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::caller::Caller;
    use crate::request::target::Target;

    const PLAIN: [(&str, &str); 2] = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "PUT"),
    ];

    fn asked(method: &Method, has_body: bool, fields: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        is_preflight(&IncomingRequest {
            method: method.clone(),
            target: Target::parse(method, "gw.example", "/a", &[]).unwrap(),
            headers,
            has_body,
            caller: Caller::Unknown,
            id: "1",
            trace: None,
        })
    }

    #[test]
    fn browsers_send_preflights() {
        let more = [
            (
                "access-control-request-headers",
                "authorization,content-type",
            ),
            ("access-control-request-private-network", "true"),
            ("connection", "keep-alive"),
            ("content-length", "0"),
        ];
        assert!(asked(&Method::OPTIONS, false, &PLAIN));
        assert!(asked(
            &Method::OPTIONS,
            false,
            &[&PLAIN[..], &more].concat()
        ));
        assert!(asked(
            &Method::OPTIONS,
            false,
            &[("origin", "null"), PLAIN[1]]
        ));
    }

    #[test]
    fn a_request_that_does_not_stay_a_preflight_is_none() {
        for more in [
            ("connection", "origin"),
            ("connection", "close, Access-Control-Request-Method"),
            ("connection", "access-control-request-headers"),
            ("origin", "https://other.example"),
            ("access-control-request-method", "PUT"),
            ("content-length", "1"),
            ("content-length", "00"),
            ("transfer-encoding", "chunked"),
        ] {
            assert!(
                !asked(&Method::OPTIONS, false, &[&PLAIN[..], &[more]].concat()),
                "{more:?}"
            );
        }
        assert!(!asked(&Method::OPTIONS, true, &PLAIN), "a body");
        assert!(!asked(&Method::POST, false, &PLAIN));
        for fields in [&PLAIN[..1], &PLAIN[1..], &[("origin", ""), PLAIN[1]]] {
            assert!(!asked(&Method::OPTIONS, false, fields), "{fields:?}");
        }
        for method in ["", "PUT, GET", "PUT GET"] {
            let fields = [PLAIN[0], ("access-control-request-method", method)];
            assert!(!asked(&Method::OPTIONS, false, &fields), "{method}");
        }
    }
}
