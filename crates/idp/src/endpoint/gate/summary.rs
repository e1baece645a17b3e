//! What the journal keeps of a request: its parameters, without the secrets among them.

use crate::endpoint::http::header::{is_body_of, text};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde_json::Value;

/// The longest text that is kept of a value.
pub(crate) const LONGEST: usize = 300;

/// How many parameters are kept.
const MOST: usize = 40;

/// Parameters and members whose values are never kept.
const SECRETS: [&str; 21] = [
    "access_token",
    "actor_token",
    "assertion",
    "authorization_header",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "id_token",
    "id_token_hint",
    "logout_token",
    "password",
    "refresh_token",
    "registration_access_token",
    "request",
    "request_uri",
    "subject_token",
    "token",
    "user_code",
    "verification_uri_complete",
];

pub(crate) struct RequestSummary {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) client: Option<String>,
    pub(crate) grant_type: Option<String>,
    pub(crate) scheme: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
}

impl RequestSummary {
    pub(crate) fn of(parts: &Parts, content: &[u8]) -> Self {
        // Both places: a client that puts its parameters into the wrong one should see it.
        let mut parameters = fields(parts.uri.query().unwrap_or_default().as_bytes());
        if is_body_of(&parts.headers, "application/x-www-form-urlencoded") {
            parameters.extend(fields(content));
        } else {
            parameters.extend(members(
                &serde_json::from_slice(content).unwrap_or_default(),
            ));
        }
        let find = |name: &str| {
            // The last one is the form's, which the token endpoint reads.
            let found = parameters.iter().rfind(|(known, _)| known == name);
            found.map(|(_, value)| short(value, LONGEST))
        };
        // A client that proves itself by Basic is named there alone.
        let authorization = parts.headers.get(AUTHORIZATION);
        let basic = || {
            let (id, _) = crate::endpoint::http::basic::basic(authorization?.as_bytes())?;
            Some(short(&id, LONGEST))
        };
        let scheme = text(&parts.headers, AUTHORIZATION).split(' ').next();
        let scheme = scheme.filter(|scheme| !scheme.is_empty());
        Self {
            method: parts.method.to_string(),
            path: short(parts.uri.path(), LONGEST),
            client: find("client_id").or(find("user")).or_else(basic),
            grant_type: find("grant_type"),
            // A header without a scheme may be the token itself.
            scheme: scheme.filter(|it| it.len() < 10).map(str::to_owned),
            parameters: hide(parameters),
        }
    }
}

/// The fields of a query or a form.
pub(crate) fn fields(form: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(form)
        .into_owned()
        .take(MOST)
        .collect()
}

/// The members of a JSON object.
pub(crate) fn members(document: &Value) -> Vec<(String, String)> {
    let Some(members) = document.as_object() else {
        return Vec::new();
    };
    // Only the first level: deeper ones are shown as JSON, without their secrets.
    let pairs = members.iter().take(MOST).map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            other => without_secrets(other).to_string(),
        };
        (name.clone(), text)
    });
    pairs.collect()
}

/// A value without the secrets in its members, at any depth.
fn without_secrets(value: &Value) -> Value {
    match value {
        // A stream's `delivery` has the `authorization_header` for its receiver (RFC 8935).
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) if is_secret(name, text) => (name.clone(), hidden(text).into()),
                value => (name.clone(), without_secrets(value)),
            })
            .collect(),
        Value::Array(values) => values.iter().map(without_secrets).collect(),
        other => other.clone(),
    }
}

fn is_secret(name: &str, value: &str) -> bool {
    SECRETS.contains(&name) && !value.is_empty()
}

fn hidden(value: &str) -> String {
    // The length is enough to find a value that was cut off or quoted.
    format!("hidden, {} characters", value.chars().count())
}

/// The pairs with a length in place of every secret, and with bounded values.
pub(crate) fn hide(pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    let pairs = pairs.into_iter().map(|(name, value)| {
        let shown = if is_secret(&name, &value) {
            hidden(&value)
        } else {
            short(&value, LONGEST)
        };
        (short(&name, LONGEST), shown)
    });
    pairs.collect()
}

/// As much of a text as is kept.
pub(crate) fn short(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_leave_only_their_length() {
        let form = b"grant_type=refresh_token&refresh_token=marked&client_secret=marked&x=%3Cb%3E";
        let kept = hide(fields(form));
        assert!(!format!("{kept:?}").contains("marked"), "{kept:?}");
        let find = |name: &str| &kept.iter().find(|(known, _)| known == name).unwrap().1;
        assert_eq!(find("refresh_token"), "hidden, 6 characters");
        assert_eq!(find("x"), "<b>");
        let answer = serde_json::json!({ "access_token": "marked", "expires_in": 60 });
        let kept = hide(members(&answer));
        assert!(!format!("{kept:?}").contains("marked") && format!("{kept:?}").contains("60"));
        let stream = serde_json::json!({
            "delivery": { "method": "push", "authorization_header": "marked" },
            "more": [{ "token": "marked" }],
        });
        let kept = hide(members(&stream));
        assert!(!format!("{kept:?}").contains("marked") && format!("{kept:?}").contains("push"));
    }
}
