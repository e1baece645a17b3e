//! The token in JSON: a token response (RFC 6749, section 5.1), or a credential for kubectl.

use super::extraction::{Extraction, SourceForm, note_choice};
use crate::exit::CommandError;
use portcullis_core::rejection::quote;
use serde_json::Value;

/// The token in a JSON document.
pub(super) fn extract(text: &str) -> Result<Extraction, CommandError> {
    // The parser's own words could repeat a part of the text, which may be a secret.
    let Ok(document) = serde_json::from_str::<Value>(text) else {
        return Err(CommandError::could_not_run(
            "expected a token response in JSON, found text that begins with `{` and is no JSON",
        ));
    };
    if let Some(error) = document.get("error").and_then(Value::as_str) {
        let message = format!(
            "expected a token response, found the provider's error {}",
            quote(error)
        );
        return Err(CommandError::could_not_run(message));
    }
    if let Some(token) = document.pointer("/status/token") {
        return Ok(Extraction::new(
            text_of(token, "status.token")?,
            SourceForm::Credential,
        ));
    }
    let has = |name| document.get(name).is_some();
    let name = if has("access_token") {
        "access_token"
    } else {
        "id_token"
    };
    let Some(token) = document.get(name) else {
        return Err(without_token(has("payload")));
    };
    let mut found = Extraction::new(text_of(token, name)?, SourceForm::TokenResponse);
    note_choice(&mut found, name, name == "access_token" && has("id_token"));
    let kind = document.get("token_type").and_then(Value::as_str);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("dpop")) {
        found.note("`token_type` is DPoP: the token is good with a proof of its key only");
    }
    Ok(found)
}

fn text_of<'v>(token: &'v Value, name: &str) -> Result<&'v str, CommandError> {
    token
        .as_str()
        .map(str::trim)
        .ok_or_else(|| CommandError::could_not_run(format!("expected `{name}` to be a string")))
}

fn without_token(is_jws: bool) -> CommandError {
    if is_jws {
        let message = "expected a token in compact form (`eyJ...`), found a JWS in JSON form";
        return CommandError::could_not_run(message);
    }
    let message = "expected a token response with `access_token`, found JSON without it";
    CommandError::could_not_run(message)
}
