//! The errors of OAuth 2.0 (RFC 6749, section 5.2).

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// How much of a value is repeated.
const LONGEST: usize = 120;

/// An error of the token endpoint and its kin.
#[derive(Debug)]
pub(crate) struct OAuthError {
    pub(crate) error: &'static str,
    pub(crate) description: String,
}

impl OAuthError {
    pub(crate) fn new(error: &'static str, description: &str) -> Self {
        Self {
            error,
            description: description.to_owned(),
        }
    }

    pub(crate) fn invalid_request(description: &str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(crate) fn invalid_grant(description: &str) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(crate) fn invalid_client(description: &str) -> Self {
        Self::new("invalid_client", description)
    }
}

/// An answer in JSON, which nobody may keep.
pub(crate) fn json(answer: Result<Value, OAuthError>) -> Response {
    match answer {
        Ok(answer) => ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response(),
        Err(error) => error.into_response(),
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.error, "error_description": self.description }));
        let no_store = (CACHE_CONTROL, "no-store");
        // 401 with a challenge for HTTP authentication (RFC 6749, section 5.2).
        if self.error == "invalid_client" {
            return (
                StatusCode::UNAUTHORIZED,
                [no_store, (WWW_AUTHENTICATE, "Basic realm=\"idp\"")],
                body,
            )
                .into_response();
        }
        (StatusCode::BAD_REQUEST, [no_store], body).into_response()
    }
}

/// As much of a text as a sentence repeats, in characters that an `error_description` may have.
pub(crate) fn printable(text: &str) -> String {
    let mut printed: String = text
        .chars()
        .take(LONGEST)
        .map(|char| match char {
            '"' | '`' => '\'',
            ' '..='~' if char != '\\' => char,
            _ => '?',
        })
        .collect();
    // A value that was cut must not look like the value that was sent.
    if text.chars().nth(LONGEST).is_some() {
        printed.push_str("...");
    }
    printed
}
