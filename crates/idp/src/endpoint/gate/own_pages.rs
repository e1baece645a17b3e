//! Who may change something here from within a browser: only our own pages.
//!
//! Any page that a developer visits can send a form to loopback, and the browser does it before
//! anybody is asked. So what changes something under `/dev` and `/console` is refused where the
//! browser says that another site sent it (`Sec-Fetch-Site`, or `Origin` from older ones). Programs
//! send neither, and are let through: whoever runs one on this machine needs no page.

use crate::endpoint::gate::marks::Reason;
use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

pub(crate) async fn only(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let ours = path.starts_with("/dev/") || path.starts_with("/console");
    // Reading is harmless: without CORS, other pages cannot see the answer.
    let changes = request.method() != Method::GET && request.method() != Method::HEAD;
    if ours && changes && is_from_another_site(request.headers()) {
        let message = "a page of another site asked for this: only the console's own pages and \
            programs may\n";
        let mut response = (StatusCode::FORBIDDEN, message).into_response();
        response.extensions_mut().insert(Reason::new(message));
        return response;
    }
    next.run(request).await
}

fn is_from_another_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        // `none` is the address bar. `same-site` is another port of this machine: not ours.
        (Some(site), _) => !["same-origin", "none"].contains(&site),
        // Older browsers send only `Origin`, with POST at least.
        (None, Some(origin)) => {
            let own = |scheme: &str| {
                text(HOST.as_str()).is_some_and(|host| origin == format!("{scheme}{host}"))
            };
            !own("http://") && !own("https://")
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_says_who_sent_it() {
        let other = |headers: &[(&'static str, &str)]| {
            let headers = headers.iter().map(|(name, value)| {
                (
                    name.parse().expect("a name"),
                    value.parse().expect("a value"),
                )
            });
            is_from_another_site(&headers.collect())
        };
        let host = ("host", "127.0.0.1:9000");
        assert!(!other(&[host]), "a program");
        assert!(!other(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(
            !other(&[host, ("sec-fetch-site", "none")]),
            "typed into the address bar"
        );
        assert!(!other(&[host, ("origin", "http://127.0.0.1:9000")]));
        assert!(other(&[
            host,
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://127.0.0.1:9000")
        ]));
        assert!(
            other(&[host, ("sec-fetch-site", "same-site")]),
            "another port of this machine"
        );
        for origin in [
            "null",
            "",
            "http://127.0.0.1",
            "http://127.0.0.1:90000",
            "http://evil.example",
        ] {
            assert!(other(&[host, ("origin", origin)]), "{origin}");
        }
    }
}
