//! What an endpoint answered: a document, a refusal, or nothing that can be used.
//!
//! An answer is read as it is meant where one meaning is left, and refused where two are (RFC 6749,
//! sections 5.1 and 5.2). Refuses: a repeated member, a value of a type that says nothing, a
//! `token_type` that was not asked for, and an answer that holds both an error and what was asked
//! for. Nothing of a body is kept in an error but what the provider wrote for people.

mod lenient;
mod tokens;

pub(crate) use lenient::{seconds, text};
pub(crate) use tokens::{UnverifiedResponse, tokens};

use crate::error::{Error, Refusal};
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_provider::fetch::EndpointResponse;
use url::Url;

/// The document of a good answer.
///
/// # Errors
///
/// The provider's refusal, an answer with two meanings, or an outage.
pub(crate) fn document(
    url: &Url,
    answered: &EndpointResponse,
    limits: &Limits,
) -> Result<Object, Error> {
    let EndpointResponse {
        status,
        retry_after,
        ..
    } = answered;
    let outage = |problem: &str| Error::outage(format!("{url}: {problem}"), *retry_after);
    let object = object(answered, limits);
    let refusal = object
        .as_ref()
        .and_then(|object| Refusal::of(object, *status));
    match (status, refusal) {
        // Some providers answer every error with 200, as GitHub does.
        (200 | 201, Some(refusal)) => match object.filter(holds_what_was_asked_for) {
            Some(_) => Err(Error::malformed_response(
                "the answer holds an `error` beside what was asked for",
            )),
            None => Err(refused_or_down(refusal, outage)),
        },
        (200 | 201, None) if !is_json(answered) => Err(outage("the answer is no JSON")),
        (200 | 201, None) => object.ok_or_else(|| outage("the answer is no proper JSON object")),
        (300..=399, _) => Err(outage(&format!(
            "the answer was {status} (redirects are not followed)"
        ))),
        (429, refusal) => Err(outage(&with_code(*status, refusal.as_ref()))),
        (400..=499, Some(refusal)) => Err(refused_or_down(refusal, outage)),
        (400..=499, None) if !is_about_the_way(*status) => {
            Err(Error::Refusal(Refusal::without_reason(*status)))
        }
        (_, refusal) => Err(outage(&with_code(*status, refusal.as_ref()))),
    }
}

/// The code of a refusal, where the answer is one: for what is done again in another way.
pub(crate) fn is_refused_with(answered: &EndpointResponse, code: &str, limits: &Limits) -> bool {
    let refusal = object(answered, limits).and_then(|object| Refusal::of(&object, answered.status));
    matches!(answered.status, 200 | 400 | 401)
        && refusal.is_some_and(|refusal| refusal.error() == code)
}

/// The body as an object, whatever its media type is: an error is an error in a page's clothes too.
fn object(answered: &EndpointResponse, limits: &Limits) -> Option<Object> {
    let body = answered
        .body
        .strip_prefix(BYTE_ORDER_MARK)
        .unwrap_or(&answered.body);
    match json::parse(body, limits) {
        Ok(Json::Object(object)) => Some(object),
        _ => None,
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether the media type allows JSON. Providers that send none, or a general one, mean it.
fn is_json(answered: &EndpointResponse) -> bool {
    let kind = answered.content_type.to_ascii_lowercase();
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

/// Tokens, the codes of a device, the reference of a pushed request.
fn holds_what_was_asked_for(object: &Object) -> bool {
    ["access_token", "device_code", "request_uri"]
        .iter()
        .any(|name| {
            object
                .get(name)
                .and_then(Json::as_str)
                .is_some_and(|text| !text.is_empty())
        })
}

/// RFC 6749, section 4.1.2.1: two codes stand for the statuses 500 and 503. They say nothing about
/// the request.
fn refused_or_down(refusal: Refusal, outage: impl Fn(&str) -> Error) -> Error {
    match refusal.error() {
        "server_error" | "temporarily_unavailable" => {
            outage(&format!("the answer was {}", refusal.error()))
        }
        _ => Error::Refusal(refusal),
    }
}

/// Statuses that speak of the address, the way or the moment, and not of the request: nobody has
/// judged it.
fn is_about_the_way(status: u16) -> bool {
    matches!(status, 404 | 405 | 407 | 408 | 421 | 423 | 425 | 429)
}

fn with_code(status: u16, refusal: Option<&Refusal>) -> String {
    let code = refusal.map(Refusal::error).filter(|code| !code.is_empty());
    let code = code.map_or_else(String::new, |code| format!(" ({code})"));
    format!("the answer was {status}{code}")
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
