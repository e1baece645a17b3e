//! What an endpoint answered: a document, a refusal, or nothing that can be used.
//!
//! Read strictly (RFC 6749, sections 5.1 and 5.2): a member of another type, a repeated member, another media type or
//! a `token_type` that was not asked for is no token. Nothing of a body is kept in an error.

use crate::error::{Error, Refusal, cleaned};
use crate::request::TokenRequest;
use crate::token::{AccessToken, RefreshToken, TokenKind, Tokens};
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::token::{NumericDate, Scopes};
use portcullis_resource_server::Secret;
use portcullis_resource_server::outbound::Answered;
use url::Url;

/// The document of a good answer.
///
/// # Errors
///
/// The provider's refusal, or an outage.
pub(crate) fn document(url: &Url, answered: &Answered, limits: &Limits) -> Result<Object, Error> {
    let Answered { status, content_type, retry_after, body, .. } = answered;
    let is_json = content_type == "application/json" || content_type.ends_with("+json");
    let parsed = || match json::parse(body, limits) {
        Ok(Json::Object(object)) => Some(object),
        _ => None,
    };
    let outage = |told: &str| Error::outage(format!("{url}: {told}"), *retry_after);
    match status {
        200 | 201 if !is_json => Err(outage("the answer is no JSON")),
        200 | 201 => parsed().ok_or_else(|| outage("the answer is no proper JSON object")),
        300..=399 => Err(outage(&format!("the answer was {status} (redirects are not followed)"))),
        400..=499 if *status != 429 => {
            match is_json.then(parsed).flatten().and_then(|object| refusal(&object)) {
                Some(refusal) => Err(Error::Refused(refusal)),
                None => Err(outage(&format!("the answer was {status}"))),
            }
        }
        _ => {
            let said = is_json.then(parsed).flatten().and_then(|object| refusal(&object));
            let said = said.map_or_else(String::new, |refusal| format!(" ({})", refusal.error()));
            Err(outage(&format!("the answer was {status}{said}")))
        }
    }
}

/// The code of a refusal, where the answer is one: for what is done again in another way.
pub(crate) fn is_refused_with(answered: &Answered, code: &str, limits: &Limits) -> bool {
    matches!(answered.status, 400 | 401)
        && matches!(json::parse(&answered.body, limits), Ok(Json::Object(object)) if object.get("error").and_then(Json::as_str) == Some(code))
}

fn refusal(object: &Object) -> Option<Refusal> {
    let text = |name| object.get(name).and_then(Json::as_str);
    text("error").map(|error| Refusal::new(error, text("error_description"), text("error_uri")))
}

/// The tokens of an answer; the ID token is not verified yet.
pub(crate) struct Granted {
    pub(crate) tokens: Tokens,
    pub(crate) id_token: Option<Secret>,
}

/// What is assumed where the answer does not say how long the token lasts.
const SHORT: i64 = 120;
/// No token lasts longer than this for us.
const LONGEST: i64 = 366 * 24 * 3_600;

/// Reads the tokens.
pub(crate) fn tokens(
    document: &Object,
    asked: &TokenRequest,
    expected: TokenKind,
    asked_at: NumericDate,
) -> Result<Granted, Error> {
    let text = |name: &str| text(document, name);
    let kind = kind(text("token_type")?, expected)?;
    let access_token =
        text("access_token")?.ok_or_else(|| Error::distrust("the answer holds no `access_token`"))?;
    let lasting = match document.get("expires_in") {
        None => SHORT,
        Some(value) => match value.as_i64() {
            Some(seconds) if seconds >= 0 => seconds.min(LONGEST),
            _ => return Err(wrong_type("expires_in", "a number of seconds")),
        },
    };
    let access_token = AccessToken::restore(Secret::new(access_token), kind, asked_at.plus(lasting))?;
    let scope = text("scope")?.map_or_else(|| asked.scopes(), Scopes::parse);
    let wanted = asked.scopes();
    let withheld = wanted.iter().filter(|wanted| !scope.contains(wanted)).collect();
    let filled = |value: Option<&str>| value.filter(|text| !text.is_empty()).map(Secret::new);
    let refresh_token = filled(text("refresh_token")?).map(RefreshToken::new);
    let id_token = filled(text("id_token")?);
    let issued_token_type = text("issued_token_type")?.map(|kind| cleaned(kind, 256));
    let tokens = Tokens { access_token, refresh_token, id_token: None, scope, withheld, issued_token_type };
    Ok(Granted { tokens, id_token })
}

/// A token that is bound where none was asked for cannot be used, and one that is not where it should be is worth less
/// than the caller thinks (RFC 9449, section 5).
fn kind(named: Option<&str>, expected: TokenKind) -> Result<TokenKind, Error> {
    let named = named.ok_or_else(|| Error::distrust("the answer holds no `token_type`"))?;
    match TokenKind::named(named) {
        Some(kind) if kind == expected => Ok(kind),
        _ => {
            let found = cleaned(named, 64);
            Err(Error::distrust(format!(
                "a token of type `{expected}` was asked for, and the answer has `{found}`"
            )))
        }
    }
}

/// The text under this name, if there is one.
pub(crate) fn text<'o>(document: &'o Object, name: &str) -> Result<Option<&'o str>, Error> {
    match document.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type(name, "a string")),
    }
}

pub(crate) fn wrong_type(name: &str, expected: &str) -> Error {
    Error::distrust(format!("`{name}` is not {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Granted, Error> {
        let json = json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let asked = TokenRequest::new().scope("a b");
        tokens(json.as_object().unwrap(), &asked, TokenKind::Bearer, NumericDate::from_seconds(1_000))
    }

    fn answered(status: u16, content_type: &str, body: &str) -> Result<Object, Error> {
        let url = Url::parse("https://idp.example/token").unwrap();
        let body = body.as_bytes().to_vec().into();
        let answered = Answered {
            status,
            content_type: content_type.to_owned(),
            retry_after: None,
            dpop_nonce: None,
            body,
        };
        document(&url, &answered, &Limits::default())
    }

    #[test]
    fn a_good_answer_is_read_whole() {
        let granted = read(
            r#"{"access_token":"t","token_type":"bearer","expires_in":300,"scope":"b c","refresh_token":"r","id_token":"i"}"#,
        )
        .unwrap();
        let tokens = &granted.tokens;
        assert_eq!(tokens.access_token().expose(), "t");
        assert_eq!(tokens.access_token().expires_at(), NumericDate::from_seconds(1_300));
        assert_eq!(
            (tokens.scope().to_string(), tokens.withheld_scope().to_string()),
            ("b c".into(), "a".into())
        );
        assert_eq!(tokens.refresh_token().map(RefreshToken::expose), Some("r"));
        assert_eq!(granted.id_token.as_ref().map(Secret::expose), Some("i"));
    }

    #[test]
    fn what_is_not_said_is_assumed_short_and_as_asked() {
        let tokens = read(r#"{"access_token":"t","token_type":"Bearer"}"#).unwrap().tokens;
        assert_eq!(tokens.access_token().expires_at(), NumericDate::from_seconds(1_120));
        assert_eq!((tokens.scope().to_string(), tokens.withheld_scope().is_empty()), ("a b".into(), true));
    }

    #[test]
    fn anything_else_is_no_token() {
        for text in [
            "{}",
            r#"{"access_token":"t"}"#,
            r#"{"token_type":"Bearer"}"#,
            r#"{"access_token":"t","token_type":"mac"}"#,
            r#"{"access_token":"t","token_type":"DPoP"}"#,
            r#"{"access_token":"t","token_type":["Bearer"]}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"t\r\nx: y","token_type":"Bearer"}"#,
            r#"{"access_token":7,"token_type":"Bearer"}"#,
            r#"{"access_token":"t","token_type":"Bearer","expires_in":"300"}"#,
            r#"{"access_token":"t","token_type":"Bearer","expires_in":-1}"#,
            r#"{"access_token":"t","token_type":"Bearer","expires_in":1.5}"#,
            r#"{"access_token":"t","token_type":"Bearer","scope":["a"]}"#,
            r#"{"access_token":"t","token_type":"Bearer","refresh_token":{}}"#,
            r#"{"access_token":"t","token_type":"Bearer","id_token":1}"#,
        ] {
            assert!(matches!(read(text), Err(Error::Distrusted(_))), "{text}");
        }
    }

    #[test]
    fn refusals_are_the_providers_and_the_rest_are_outages() {
        let refused =
            answered(400, "application/json", r#"{"error":"invalid_scope","error_description":"no"}"#);
        assert_eq!(refused.unwrap_err().to_string(), "the provider refused: invalid_scope (no)");
        for (status, content_type, body) in [
            (200, "text/html", "{}"),
            (200, "application/json", "[]"),
            (200, "application/json", r#"{"a":1,"a":2}"#),
            (302, "application/json", r#"{"error":"x"}"#),
            (400, "text/html", r#"{"error":"x"}"#),
            (400, "application/json", r#"{"error":7}"#),
            (404, "application/json", "{}"),
            (429, "application/json", r#"{"error":"slow_down"}"#),
            (500, "application/json", r#"{"error":"server_error"}"#),
            (100, "", ""),
        ] {
            let error = answered(status, content_type, body).unwrap_err();
            assert!(matches!(error, Error::Outage(_)), "{status} {body}: {error}");
        }
    }
}
