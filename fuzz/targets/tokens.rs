//! A scope that was asked for, and any bytes as the answer of a token endpoint, a line each:
//! another parser finds the same tokens in it, and no error shows one.

use crate::shared::choice;
use portcullis_client::fuzzing::tokens;
use portcullis_client::{TokenKind, TokenResponse};
use portcullis_core::token::{NumericDate, Scopes};
use serde_json::Value;

const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);
const LONGEST: i64 = 366 * 24 * 3_600;
const STATUSES: &[u16] = &[
    200, 200, 200, 200, 201, 400, 401, 403, 404, 429, 302, 500, 503, 99,
];
const KINDS: &[&str] = &[
    "application/json",
    "",
    "text/html",
    "application/problem+json",
    "TEXT/PLAIN",
];

pub(crate) fn run(data: &[u8]) {
    let (selector, data) = choice(data);
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (Ok(scope), body) = (
        std::str::from_utf8(&data[..end]),
        data.get(end + 1..).unwrap_or_default(),
    ) else {
        return;
    };
    let status = STATUSES[usize::from(selector) % STATUSES.len()];
    let content_type = KINDS[usize::from(selector / 16) % KINDS.len()];
    let kind = if selector & 0x80 == 0 {
        TokenKind::Bearer
    } else {
        TokenKind::Dpop
    };
    let document: Option<Value> =
        serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok();
    match tokens(status, content_type, body, scope, kind, NOW) {
        Ok((tokens, id_token)) => {
            assert!(matches!(status, 200 | 201) && content_type != "text/html");
            let document = document.expect("another parser reads it");
            assert_eq!(
                id_token.as_ref().map(|token| token.expose()),
                filled(&document, "id_token")
            );
            alike(&document, &tokens, kind);
            scopes(&document, &tokens, &Scopes::parse(scope));
        }
        Err(error) => {
            let told = error.to_string();
            assert!(!told.is_empty() && told.chars().count() < 4_096);
            assert!(
                !told.chars().any(char::is_control),
                "a terminal would obey it"
            );
            for name in ["access_token", "refresh_token", "id_token"] {
                let token = document
                    .as_ref()
                    .and_then(|document| filled(document, name));
                let is_secret =
                    |token: &&str| token.len() >= 16 && uses(document.as_ref(), token) == 1;
                assert!(
                    !token
                        .filter(is_secret)
                        .is_some_and(|token| told.contains(token)),
                    "{told}"
                );
            }
        }
    }
}

/// The text of a member, if there is more than nothing.
fn filled<'d>(document: &'d Value, name: &str) -> Option<&'d str> {
    document
        .get(name)?
        .as_str()
        .filter(|text| !text.is_empty())
}

/// How many texts of a document hold this one.
fn uses(value: Option<&Value>, text: &str) -> usize {
    match value {
        Some(Value::String(held)) => usize::from(held.contains(text)),
        Some(Value::Array(elements)) => elements
            .iter()
            .map(|value| uses(Some(value), text))
            .sum(),
        Some(Value::Object(members)) => members
            .values()
            .map(|value| uses(Some(value), text))
            .sum(),
        _ => 0,
    }
}

fn alike(document: &Value, tokens: &TokenResponse, kind: TokenKind) {
    let token = tokens.access_token();
    assert_eq!(Some(token.expose()), filled(document, "access_token"));
    assert_eq!(
        token.authorization().to_str().ok(),
        Some(&*format!("{kind} {}", token.expose()))
    );
    assert_eq!(
        tokens.refresh_token().map(|token| token.expose()),
        filled(document, "refresh_token")
    );
    assert!(
        filled(document, "error").is_none(),
        "a refusal was taken for tokens"
    );
    assert_eq!(token.kind(), kind);
    let named = filled(document, "token_type")
        .map(str::trim)
        .unwrap_or_default();
    match kind {
        TokenKind::Dpop => assert!(named.eq_ignore_ascii_case("DPoP"), "{named}"),
        _ => assert!(
            ["", "bearer", "bearertoken"].contains(&&*named.to_ascii_lowercase()),
            "{named}"
        ),
    }
    let lasts = token.expires_at().seconds() - NOW.seconds();
    assert!((0..=LONGEST).contains(&lasts), "{lasts}");
    let said = match document.get("expires_in") {
        None | Some(Value::Null) => Some(120),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => panic!("no number of seconds"),
    };
    assert!(
        said.is_none_or(|said| said.clamp(0, LONGEST) == lasts),
        "{said:?} {lasts}"
    );
}

/// What was asked for is granted or withheld. Nothing is granted that was neither asked for nor
/// said.
fn scopes(document: &Value, tokens: &TokenResponse, wanted: &Scopes) {
    let (granted, withheld) = (tokens.scope(), tokens.withheld_scope());
    for scope in wanted.iter().filter(|scope| !scope.contains('/')) {
        assert!(
            granted.contains(scope) != withheld.contains(scope),
            "{scope}"
        );
    }
    assert!(
        withheld
            .iter()
            .all(|scope| wanted.contains(scope) && !granted.contains(scope))
    );
    let said = match document.get("scope") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(texts)) => texts
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" "),
        _ => String::new(),
    };
    let is_said = |scope: &str| {
        said.split([' ', ',']).any(|it| it == scope) || said.split(' ').any(|it| it == scope)
    };
    assert!(
        granted
            .iter()
            .all(|scope| wanted.contains(scope) || is_said(scope))
    );
    let came = |scope: &str| match scope {
        "openid" => filled(document, "id_token").is_some(),
        "offline_access" => tokens.refresh_token().is_some(),
        _ => false,
    };
    let is_silent = matches!(document.get("scope"), None | Some(Value::Null));
    assert!(
        is_silent
            || granted
                .iter()
                .all(|scope| is_said(scope) || came(scope))
    );
}
