//! Any text as the query of a callback: another reading of it finds the same code, or none as well.

use crate::shared::choice;
use percent_encoding::percent_decode;
use portcullis_client::Error;
use portcullis_client::fuzzing::callback;
use portcullis_resource_server::Secret;

const ISSUER: &str = "https://idp.example/tenant-a";
const STATE: &str = "af0ifjsldkj";
const NAMES: &[&str] = &[
    "state",
    "code",
    "iss",
    "error",
    "error_description",
    "error_uri",
];

pub(crate) fn run(data: &[u8]) {
    let (selector, data) = choice(data);
    let Ok(query) = std::str::from_utf8(data) else {
        return;
    };
    let is_named = selector & 1 == 1;
    let found = callback(query, &Secret::new(STATE), ISSUER, is_named);
    let code = found
        .as_ref()
        .ok()
        .map(|(code, is_of)| (code.expose().to_owned(), *is_of));
    assert_eq!(code, expected(query, is_named));
    let Err(error) = found else { return };
    let told = error.to_string();
    assert!(
        !told.is_empty() && !told.chars().any(char::is_control),
        "a terminal would obey it"
    );
    if let Error::Refusal(refusal) = error {
        assert!(refusal.error().chars().count() <= 128);
        assert!(
            refusal
                .description()
                .is_none_or(|text| text.chars().count() <= 1_024)
        );
        assert!(
            refusal
                .uri()
                .is_none_or(|uri| uri.starts_with("https://") || uri.starts_with("http://"))
        );
    } else {
        let values = pairs(query).into_iter().map(|(_, value)| value);
        assert!(
            values
                .filter(|value| value.len() >= 40)
                .all(|value| !told.contains(&value)),
            "{told}"
        );
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let text = |part: &str| {
        let spaced: Vec<u8> = part
            .bytes()
            .map(|byte| if byte == b'+' { b' ' } else { byte })
            .collect();
        String::from_utf8_lossy(&percent_decode(&spaced).collect::<Vec<u8>>()).into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// The code, and whether the state is ours; none where one meaning is not left, or it is no good
/// answer of the provider.
fn expected(query: &str, is_named: bool) -> Option<(String, bool)> {
    let pairs = pairs(query);
    let all = |name: &str| {
        pairs
            .iter()
            .filter(|(held, _)| held == name)
            .map(|(_, value)| value.clone())
            .collect()
    };
    let values = |name: &str| -> Vec<String> { all(name) };
    if query.len() > 16 * 1_024 || NAMES.iter().any(|name| values(name).len() > 1) {
        return None;
    }
    let value = |name: &str| values(name).pop().filter(|value| !value.is_empty());
    let is_the_providers = value("iss").map_or(!is_named, |issuer| issuer == ISSUER);
    let is_good = is_the_providers && value("error").is_none();
    is_good
        .then(|| value("code"))
        .flatten()
        .map(|code| (code, value("state").as_deref() == Some(STATE)))
}
