//! The words of an application's rules, unless they quote the request.
//!
//! A rule should not put the value into its words; one that does must not send a password back. It
//! finds values that stand in the words as they were sent, in any case, or with the escapes of
//! `{:?}`. It does not find parts of a value, nor what was computed from one.

use portcullis_core::jose::json::Json;

/// The longest words, in bytes.
const LONGEST: usize = 300;
/// The shortest value that counts, in bytes: shorter ones are in every sentence.
const SHORTEST: usize = 3;
/// So many words are compared with the request. More would let a large body cost much.
const MOST: usize = 20;

/// What the words of rules are compared with.
pub(super) struct OwnWords<'j> {
    json: &'j Json,
    /// The values of the request as text, from the first question on.
    values: Option<Vec<String>>,
    left: usize,
}

impl<'j> OwnWords<'j> {
    pub(super) fn new(json: &'j Json) -> Self {
        Self {
            json,
            values: None,
            left: MOST,
        }
    }

    /// The words, or nothing if they hold a value of the request.
    pub(super) fn without_echo<'w>(&mut self, words: &'w str) -> Option<&'w str> {
        self.left = self.left.checked_sub(1)?;
        if words.len() > LONGEST {
            return None;
        }
        let values = self.values.get_or_insert_with(|| {
            let mut values = Vec::new();
            add_values(self.json, &mut values);
            values
        });
        let lower = words.to_lowercase();
        let is_echo = values
            .iter()
            .any(|value| lower.contains(value.as_str()));
        (!is_echo).then_some(words)
    }
}

fn add_values(json: &Json, values: &mut Vec<String>) {
    match json {
        Json::Null | Json::Bool(_) => {}
        Json::Number(number) => add(&serde_json::to_string(number).unwrap_or_default(), values),
        Json::String(text) => {
            add(text, values);
            add(&text.escape_debug().to_string(), values);
        }
        Json::Array(elements) => {
            for element in elements {
                add_values(element, values);
            }
        }
        Json::Object(object) => {
            // Names are no secret: they stand in the place of a fault.
            for (_, value) in object.iter() {
                add_values(value, values);
            }
        }
    }
}

fn add(text: &str, values: &mut Vec<String>) {
    let text = text.trim();
    // What is longer than the words cannot stand in them.
    if (SHORTEST..=LONGEST).contains(&text.len()) {
        values.push(text.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_core::jose::json::parse;

    #[test]
    fn words_with_a_value_of_the_request_are_left_out() {
        let text = r#"{"a":["Top Secret"," pad ded "],"n":12345,"q":"a\"b","s":"ab","t":true}"#;
        let json = parse(text.as_bytes(), &Limits::default()).unwrap();
        let mut words = OwnWords::new(&json);
        for echo in [
            "no: Top Secret",
            "no: TOP SECRET!",
            "`top secret`",
            "pad ded is padded",
            "12345 is too much",
            "found \"a\\\"b\"",
            "found a\"b",
            &"long ".repeat(100),
        ] {
            assert_eq!(words.without_echo(echo), None, "{echo}");
        }
        for plain in [
            "the end is before the start",
            "about true",
            "a top, a secret",
            "1234",
        ] {
            assert_eq!(words.without_echo(plain), Some(plain));
        }
        for _ in 0..MOST {
            words.without_echo("again");
        }
        assert_eq!(words.without_echo("again"), None);
    }
}
