//! The response of an endpoint: a document, a refusal, or nothing usable.
//!
//! A response with one plausible meaning is read that way; a response with two is refused (RFC
//! 6749, sections 5.1 and 5.2). Refuses: a repeated member, a value of the wrong type, an
//! unexpected `token_type`, and a response that holds both an error and a token. An error keeps
//! nothing of a body except the text that the provider wrote for people.

mod lenient;
mod tokens;

pub(crate) use lenient::{seconds, text};
pub(crate) use tokens::{UnverifiedResponse, tokens};

use crate::error::{Error, NO_ENDPOINT, Refusal};
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_provider::fetch::EndpointResponse;
use std::time::Duration;
use url::Url;

/// The document of a successful response.
///
/// # Errors
///
/// The provider's refusal, a response with two meanings, or an outage.
pub(crate) fn document(
    url: &Url,
    response: &EndpointResponse,
    limits: &Limits,
) -> Result<Object, Error> {
    let status = response.status;
    let outage = OutageContext {
        url,
        retry_after: response.retry_after,
    };
    let object = object(response, limits);
    let refusal = match &object {
        Some(object) => Refusal::of(object, status),
        None => None,
    };
    match (status, refusal) {
        // Some providers, such as GitHub, send every error with status 200.
        (200 | 201, Some(refusal)) => match object {
            Some(object) if holds_a_result(&object) => Err(Error::malformed_response(
                "the response holds an `error` and a result",
            )),
            _ => Err(outage.or_refusal(refusal)),
        },
        (200 | 201, None) if !is_json(response) => Err(outage.error("the response is not JSON")),
        (200 | 201, None) => {
            object.ok_or_else(|| outage.error("the response is not a valid JSON object"))
        }
        // A redirect would carry the client's secret to an address that nobody configured.
        (300..=399, _) => Err(outage.error(&format!(
            "the response has status {status} (redirects are not followed)"
        ))),
        (429, refusal) => Err(outage.error(&with_code(status, refusal.as_ref()))),
        (400..=499, Some(refusal)) => Err(outage.or_refusal(refusal)),
        (400..=499, None) if !is_about_transport(status) => {
            Err(Error::Refusal(Refusal::without_reason(status)))
        }
        (_, refusal) => {
            let error = outage.error(&with_code(status, refusal.as_ref()));
            Err(match (error, status) {
                (Error::Outage(outage), 404 | 405) => {
                    Error::Outage(outage.with_cure(Some(NO_ENDPOINT)))
                }
                (error, _) => error,
            })
        }
    }
}

/// Whether the response is a refusal with this code.
pub(crate) fn is_refused_with(response: &EndpointResponse, code: &str, limits: &Limits) -> bool {
    if !matches!(response.status, 200 | 400 | 401) {
        return false;
    }
    let Some(object) = object(response, limits) else {
        return false;
    };
    match Refusal::of(&object, response.status) {
        Some(refusal) => refusal.error() == code,
        None => false,
    }
}

/// The body as a JSON object. The media type is ignored here: some providers send their errors as
/// `text/html`.
fn object(response: &EndpointResponse, limits: &Limits) -> Option<Object> {
    let body = response
        .body
        .strip_prefix(BYTE_ORDER_MARK)
        .unwrap_or(&response.body);
    match json::parse(body, limits) {
        Ok(Json::Object(object)) => Some(object),
        _ => None,
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether the media type allows JSON. Some providers send none, or a general one.
fn is_json(response: &EndpointResponse) -> bool {
    let kind = response.content_type.to_ascii_lowercase();
    let plain = [
        "",
        "application/json",
        "text/json",
        "text/plain",
        "text/javascript",
        "application/javascript",
    ];
    plain.contains(&kind.as_str()) || kind.ends_with("+json")
}

/// Whether the document holds what a successful response has: a token, a device code, or the
/// reference of a pushed request.
fn holds_a_result(object: &Object) -> bool {
    for name in ["access_token", "device_code", "request_uri"] {
        let text = object.get(name).and_then(Json::as_str);
        if !text.unwrap_or_default().is_empty() {
            return true;
        }
    }
    false
}

/// The context of an outage at one endpoint.
struct OutageContext<'u> {
    url: &'u Url,
    retry_after: Option<Duration>,
}

impl OutageContext<'_> {
    fn error(&self, problem: &str) -> Error {
        Error::outage(format!("{}: {problem}", self.url), self.retry_after)
    }

    /// An outage for the two codes that stand for the statuses 500 and 503 (RFC 6749, section
    /// 4.1.2.1); the refusal for every other code.
    fn or_refusal(&self, refusal: Refusal) -> Error {
        match refusal.error() {
            code @ ("server_error" | "temporarily_unavailable") => {
                self.error(&format!("the response has the error `{code}`"))
            }
            _ => Error::Refusal(refusal),
        }
    }
}

/// Whether a status is about the address, the connection or the moment. The provider has not judged
/// the request then, and a kept refresh token stays good.
fn is_about_transport(status: u16) -> bool {
    matches!(status, 404 | 405 | 407 | 408 | 421 | 423 | 425 | 429)
}

fn with_code(status: u16, refusal: Option<&Refusal>) -> String {
    match refusal.map(Refusal::error) {
        None | Some("") => format!("the response has status {status}"),
        Some(code) => format!("the response has status {status} ({code})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, content_type: &str, body: &str) -> Result<Object, Error> {
        let url = Url::parse("https://idp.example/token").unwrap();
        let body = body.as_bytes().to_vec().into();
        let content_type = content_type.to_owned();
        let answered = EndpointResponse {
            status,
            content_type,
            retry_after: None,
            dpop_nonce: None,
            body,
        };
        document(&url, &answered, &Limits::default())
    }

    const JSON: &str = "application/json";

    #[test]
    fn a_refusal_is_told_as_the_provider_told_it() {
        for (status, content_type) in [
            (400, JSON),
            (401, JSON),
            (403, JSON),
            (428, JSON),
            (404, JSON),
            (200, JSON),
            (200, "text/html"),
            (400, ""),
        ] {
            let body = r#"{"error":"invalid_scope","error_description":"no"}"#;
            let refused = answered(status, content_type, body).unwrap_err();
            assert_eq!(
                refused.to_string(),
                "the provider refused: invalid_scope (no)",
                "{status} {content_type}"
            );
        }
        let okta = answered(
            400,
            JSON,
            r#"{"errorCode":"invalid_client","errorSummary":"no such client"}"#,
        );
        assert_eq!(
            okta.unwrap_err().to_string(),
            "the provider refused: invalid_client (no such client)"
        );
    }

    #[test]
    fn a_refusal_without_a_reason_is_a_refusal() {
        for (content_type, body) in [
            ("", ""),
            ("text/html", "<html>Unauthorized</html>"),
            (JSON, "{}"),
            (JSON, r#"{"error":7}"#),
            (JSON, r#"{"error":null}"#),
            (JSON, "{"),
        ] {
            for status in [400, 401, 403, 410, 422] {
                let error = answered(status, content_type, body).unwrap_err();
                let refusal = error
                    .refusal()
                    .unwrap_or_else(|| panic!("{status} {body}: {error}"));
                assert_eq!((refusal.error(), refusal.status()), ("", Some(status)));
                assert!(
                    error
                        .to_string()
                        .contains(&format!("{status}, without a reason")),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn an_answer_with_two_meanings_is_neither() {
        for body in [
            r#"{"error":"invalid_grant","access_token":"t","token_type":"Bearer"}"#,
            r#"{"error":"x","device_code":"d"}"#,
        ] {
            let error = answered(200, JSON, body).unwrap_err();
            assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
        }
        for body in [
            r#"{"error":null,"access_token":"t"}"#,
            r#"{"error":"","access_token":"t"}"#,
        ] {
            assert!(answered(200, JSON, body).is_ok(), "{body}");
        }
    }

    #[test]
    fn media_types_with_one_meaning_are_read() {
        let body = "\u{feff}{\"access_token\":\"t\"}";
        for content_type in [
            "application/JSON",
            "text/plain",
            "",
            "text/javascript",
            "application/x+json",
        ] {
            assert!(answered(200, content_type, body).is_ok(), "{content_type}");
        }
    }

    #[test]
    fn everything_else_is_an_outage() {
        for (status, content_type, body) in [
            (200, "text/html", "{}"),
            (200, "text/html", "<html>"),
            (200, JSON, "[]"),
            (200, JSON, r#"{"a":1,"a":2}"#),
            (200, JSON, r#"{"error":"server_error"}"#),
            (302, JSON, r#"{"error":"x"}"#),
            (400, JSON, r#"{"error":"temporarily_unavailable"}"#),
            (404, JSON, "{}"),
            (404, "text/html", "<html>"),
            (408, "", ""),
            (429, JSON, r#"{"error":"slow_down"}"#),
            (500, JSON, r#"{"error":"invalid_grant"}"#),
            (503, "text/html", "<html>"),
            (100, "", ""),
        ] {
            let error = answered(status, content_type, body).unwrap_err();
            assert!(
                matches!(error, Error::Outage(_)),
                "{status} {body}: {error}"
            );
        }
    }
}
