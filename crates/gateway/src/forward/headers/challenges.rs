//! Challenges of schemes that authenticate a connection instead of a request: NTLM, and Negotiate
//! (RFC 4559), which carries it.
//!
//! A connection to an upstream carries the requests of many callers. If such a scheme let one of
//! them in, it would let in all that follow on the same connection. So neither the challenges nor
//! the credentials of these schemes pass.

use crate::request::connection_auth::authenticates_connection;
use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

/// Removes the challenges of these schemes from a response; others stay, also in the same field.
pub(super) fn strip(headers: &mut HeaderMap) {
    let fields: Vec<HeaderValue> = headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .cloned()
        .collect();
    // Nearly always: then the fields stay as the upstream wrote them.
    if !fields.iter().any(has_connection_challenge) {
        return;
    }
    headers.remove(WWW_AUTHENTICATE);
    for field in &fields {
        let mut kept = challenges(field.as_bytes());
        kept.retain(|challenge| !authenticates_connection(challenge));
        if kept.is_empty() {
            continue;
        }
        if let Ok(value) = HeaderValue::from_bytes(&kept.join(&b", "[..])) {
            headers.append(WWW_AUTHENTICATE, value);
        }
    }
}

fn has_connection_challenge(field: &HeaderValue) -> bool {
    let mut challenges = challenges(field.as_bytes()).into_iter();
    challenges.any(authenticates_connection)
}

/// Splits a field into challenges (RFC 9110, section 11.6.1): the parts between its commas, each
/// with the parameters that follow it.
fn challenges(field: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let (mut begins, mut from) = (0, 0);
    // The comma separates challenges and also the parameters of one, so parts are joined again.
    while let Some(rest) = field.get(from..)
        && !rest.is_empty()
    {
        let end = from + part_length(rest);
        let part = field.get(from..end).unwrap_or_default();
        if from > begins && begins_challenge(part) {
            let before = field.get(begins..from.saturating_sub(1));
            found.extend(before.and_then(trim));
            begins = from;
        }
        from = end + 1;
    }
    found.extend(field.get(begins..).and_then(trim));
    found
}

/// The text without commas and spaces around it; `None` if nothing is left.
fn trim(text: &[u8]) -> Option<&[u8]> {
    let is_inner = |byte: &u8| !matches!(byte, b',' | b' ' | b'\t');
    let first = text.iter().position(is_inner)?;
    let last = text.iter().rposition(is_inner)?;
    text.get(first..=last)
}

/// The length of the part before the next comma outside quotes.
fn part_length(text: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (index, byte) in text.iter().enumerate() {
        match (*byte, escaped) {
            (b',', _) if !quoted => return index,
            (b'"', false) => quoted = !quoted,
            (b'\\', false) if quoted => escaped = true,
            _ => escaped = false,
        }
    }
    text.len()
}

/// Whether a part begins with a scheme. A scheme stands alone, or before a space and something
/// other than an equals sign.
fn begins_challenge(part: &[u8]) -> bool {
    let part = part.trim_ascii();
    let ends_word = |byte: &u8| matches!(byte, b' ' | b'\t' | b'=');
    let word = part.iter().position(ends_word).unwrap_or(part.len());
    let rest = part.get(word..).unwrap_or_default().trim_ascii_start();
    word > 0 && !rest.starts_with(b"=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(fields: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(field));
        }
        strip(&mut headers);
        headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .map(|it| it.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn challenges_for_connections_go_and_others_stay() {
        for (fields, left) in [
            (
                &["Negotiate", "NTLM", "Basic realm=\"a, NTLM\""][..],
                &["Basic realm=\"a, NTLM\""][..],
            ),
            (&["Negotiate, NTLM"], &[]),
            (
                &[
                    "Basic realm=\"x\", charset=\"UTF-8\", ntlm TlRMTVNTUAAC==, Digest \
                        realm=\"y\", nonce = \"z\"",
                ],
                &["Basic realm=\"x\", charset=\"UTF-8\", Digest realm=\"y\", nonce = \"z\""],
            ),
            (&["NEGOTIATE oRQw==", "Bearer"], &["Bearer"]),
            (
                &["Bearer realm=\"a\\\", Negotiate\""],
                &["Bearer realm=\"a\\\", Negotiate\""],
            ),
            (
                &["Bearer realm=\"ntlm\", scope=\"ntlm\""],
                &["Bearer realm=\"ntlm\", scope=\"ntlm\""],
            ),
            (&[",, NTLM ,,"], &[]),
            // A comma within quotes separates nothing, and neither does one before a parameter.
            (
                &["Basic realm=\"a, NTLM b\", NTLM"],
                &["Basic realm=\"a, NTLM b\""],
            ),
            (
                &["NTLM, Bearer realm=\"a\\\", Negotiate b\""],
                &["Bearer realm=\"a\\\", Negotiate b\""],
            ),
            (&["Bearer a=\\\", NTLM b"], &["Bearer a=\\\", NTLM b"]),
            (&["NTLM, Bearer a=b, ntlm =x"], &["Bearer a=b, ntlm =x"]),
            (&["NTLM, Bearer a=x,, b=c"], &["Bearer a=x,, b=c"]),
            // Without any of them a field stays as it was written.
            (&["Basic,Bearer"], &["Basic,Bearer"]),
            (&["Negotiated"], &["Negotiated"]),
        ] {
            assert_eq!(stripped(fields), left, "{fields:?}");
        }
    }

    #[test]
    fn credentials_for_connections_are_recognised() {
        for (value, is) in [
            ("NTLM TlRM", true),
            ("negotiate YII=", true),
            ("Negotiate", true),
            ("Basic ntlm", false),
        ] {
            assert_eq!(authenticates_connection(value.as_bytes()), is, "{value}");
        }
    }
}
