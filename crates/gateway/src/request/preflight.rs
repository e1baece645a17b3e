//! CORS preflights (Fetch, section 4.8), which browsers send without a credential.
//!
//! With `[gateway.cors]` the gateway answers them, and with `public_preflight` they pass without a
//! token. So a request counts as a preflight only if it is one for the upstream too: it has no
//! body, and its headers arrive. The gateway removes a header that `Connection` names, and two
//! values of one header are read in different ways.

use crate::request::fields::list_members;
use crate::request::incoming::IncomingRequest;
use http::Method;
use http::header::{
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONNECTION, CONTENT_LENGTH,
    HeaderMap, HeaderName, HeaderValue, ORIGIN, TRANSFER_ENCODING,
};

/// Whether a request is a preflight, and stays one on its way to the upstream.
pub(crate) fn is_preflight(request: &IncomingRequest<'_>) -> bool {
    asked_method(request).is_some()
}

/// The method that a preflight asks about. `None` for any other request, and for one that would not
/// stay a preflight on its way to the upstream.
pub(crate) fn asked_method(request: &IncomingRequest<'_>) -> Option<Method> {
    let headers = &request.headers;
    if request.method != Method::OPTIONS || request.has_body || announces_body(headers) {
        return None;
    }
    let origin = single(headers, &ORIGIN)?;
    let method = single(headers, &ACCESS_CONTROL_REQUEST_METHOD)?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let asked = headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter();
    let stays = asked.count() <= 1
        // Otherwise the upstream would see an ordinary OPTIONS, let through without a token.
        && !list_members(headers, &CONNECTION).any(is_of_preflight);
    (stays && !origin.is_empty()).then_some(method)
}

/// The value of a header that the request has once.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// Whether the head says that a body follows.
pub(crate) fn announces_body(headers: &HeaderMap) -> bool {
    // `00` is no zero here: servers read lengths with leading zeros in different ways.
    headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get_all(CONTENT_LENGTH)
            .iter()
            .any(|it| it != "0")
}

/// Whether a header makes a request a preflight, or belongs to its question.
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
            certificate: None,
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
