//! Members that providers write in more than one way, each with one meaning.

use crate::error::Error;
use portcullis_core::jose::json::{Json, Number, Object};
use portcullis_core::token::{NumericDate, Scopes};

/// The text under this name, if there is one.
pub(crate) fn text<'o>(document: &'o Object, name: &str) -> Result<Option<&'o str>, Error> {
    match document.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type(name, "a string")),
    }
}

/// A number of whole seconds: written as an integer, with a fraction, or as a text of either. A
/// negative number is kept: what it means depends on the member.
pub(crate) fn seconds(document: &Object, name: &str) -> Result<Option<i64>, Error> {
    let wrong = || wrong_type(name, "a number of seconds");
    match document.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Json::String(text)) => whole(text.trim()).map(Some).ok_or_else(wrong),
        // More than fits is longer than anything is believed to last.
        Some(Json::Number(Number::Unsigned(_))) => Ok(Some(i64::MAX)),
        Some(Json::Number(Number::Float(seconds))) if *seconds > A_LONG_TIME => Ok(Some(i64::MAX)),
        Some(number) => NumericDate::from_json(number)
            .map(|date| Some(date.seconds()))
            .ok_or_else(wrong),
    }
}

/// In seconds, and exact as a float.
const A_LONG_TIME: f64 = 1e15;

/// `3599`, or `3599.25` without its fraction.
fn whole(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits(whole.strip_prefix('-').unwrap_or(whole)) && digits(fraction);
    plain.then(|| whole.parse().ok()).flatten()
}

/// The scopes of an answer; none where it does not say. RFC 6749 has a text with spaces. Some
/// providers send a list, some put commas between, which a scope may hold: they count where that
/// gives what was asked for.
pub(super) fn scopes(document: &Object, wanted: &Scopes) -> Result<Option<Scopes>, Error> {
    let wrong = || wrong_type("scope", "a string");
    let text = match document.get("scope") {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) => text.to_string(),
        Some(Json::Array(elements)) => {
            let texts: Option<Vec<&str>> = elements.iter().map(Json::as_str).collect();
            texts.ok_or_else(wrong)?.join(" ")
        }
        Some(_) => return Err(wrong()),
    };
    let plain = Scopes::parse(&text);
    let split: Scopes = text.split([' ', ',']).collect();
    let more = |scopes: &Scopes| wanted.iter().filter(|scope| scopes.contains(scope)).count();
    Ok(Some(if more(&split) > more(&plain) {
        split
    } else {
        plain
    }))
}

fn wrong_type(name: &str, expected: &str) -> Error {
    Error::malformed_response(format!("`{name}` is not {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_core::jose::json;

    fn read(value: &str) -> Result<Option<i64>, Error> {
        let document =
            json::parse(format!("{{\"n\":{value}}}").as_bytes(), &Limits::default()).unwrap();
        seconds(document.as_object().unwrap(), "n")
    }

    #[test]
    fn seconds_are_read_as_providers_write_them() {
        for (written, meant) in [
            ("3599", 3599),
            ("\"3599\"", 3599),
            ("3599.75", 3599),
            ("\"3599.0\"", 3599),
            ("\" 60 \"", 60),
            ("0", 0),
            ("-1", -1),
            ("\"-1\"", -1),
            ("3.6e3", 3600),
            ("18446744073709551615", i64::MAX),
        ] {
            assert_eq!(read(written).unwrap(), Some(meant), "{written}");
        }
        assert_eq!((read("null").unwrap(), read("\"\"").unwrap()), (None, None));
    }

    #[test]
    fn what_has_no_meaning_or_two_is_not_read() {
        for written in [
            "\"soon\"",
            "\"1 hour\"",
            "\"2026-01-01T00:00:00Z\"",
            "\"1,000\"",
            "\"1.\"",
            "\".5\"",
            "\"--1\"",
            "true",
            "[60]",
            "{}",
        ] {
            assert!(read(written).is_err(), "{written}");
        }
    }
}
