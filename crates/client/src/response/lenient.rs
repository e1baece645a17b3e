//! Members that providers write in more than one way, each with one meaning.

use crate::error::Error;
use portcullis_core::jose::json::{Json, Number, Object};
use portcullis_core::token::{NumericDate, Scopes};

/// The text of this member; `None` if it is missing or `null`.
pub(crate) fn text<'o>(document: &'o Object, name: &str) -> Result<Option<&'o str>, Error> {
    match document.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type(name, "a string")),
    }
}

/// A number of whole seconds, written as an integer, with a fraction, or as a text of either. A
/// negative number is returned as it is: its meaning depends on the member.
pub(crate) fn seconds(document: &Object, name: &str) -> Result<Option<i64>, Error> {
    let seconds = match document.get(name) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Json::String(text)) => whole(text.trim()),
        // A number too large for an `i64` is longer than any lifetime that is believed.
        Some(Json::Number(Number::Unsigned(_))) => Some(i64::MAX),
        Some(Json::Number(Number::Float(seconds))) if *seconds > EXACT_FLOAT => Some(i64::MAX),
        Some(number) => NumericDate::from_json(number).map(NumericDate::seconds),
    };
    match seconds {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(wrong_type(name, "a number of seconds")),
    }
}

/// In seconds. Every smaller whole number is exact as a float.
const EXACT_FLOAT: f64 = 1e15;

/// The whole seconds of a text such as `3599` or `3599.25`.
fn whole(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    // Checked by hand, because `parse` also takes a plus sign.
    if is_number(unsigned) && is_number(fraction) {
        whole.parse().ok()
    } else {
        None
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The granted scopes; `None` if the response has no `scope`. RFC 6749, section 3.3, has one text
/// with spaces. Some providers send a list, and some separate the scopes with commas.
pub(super) fn scopes(document: &Object, wanted: &Scopes) -> Result<Option<Scopes>, Error> {
    let text = match document.get("scope") {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) => text.to_string(),
        Some(Json::Array(elements)) => {
            let texts: Option<Vec<&str>> = elements.iter().map(Json::as_str).collect();
            match texts {
                Some(texts) => texts.join(" "),
                None => return Err(wrong_type("scope", "a string")),
            }
        }
        Some(_) => return Err(wrong_type("scope", "a string")),
    };
    let plain = Scopes::parse(&text);
    let split: Scopes = text.split([' ', ',']).collect();
    // A scope may contain a comma. A comma therefore separates only if that yields more of the
    // requested scopes.
    Ok(Some(if overlap(&split, wanted) > overlap(&plain, wanted) {
        split
    } else {
        plain
    }))
}

/// The number of wanted scopes that are among these.
fn overlap(scopes: &Scopes, wanted: &Scopes) -> usize {
    wanted
        .iter()
        .filter(|scope| scopes.contains(scope))
        .count()
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
