//! Schemes that authenticate a connection instead of a request: NTLM, and Negotiate (RFC 4559),
//! which carries it.
//!
//! Connections to an upstream carry the requests of many callers. One whom such a scheme had let in
//! would have let in all who come after by the same connection. So neither the challenges nor the
//! credentials of these schemes pass.

use crate::request::connection_auth::authenticates_connection;
use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

/// Removes the challenges of these schemes from an answer; others stay, also in the same field.
pub(super) fn strip(headers: &mut HeaderMap) {
    let fields: Vec<HeaderValue> = headers.get_all(WWW_AUTHENTICATE).iter().cloned().collect();
    if !fields.iter().any(|field| {
        challenges(field.as_bytes())
            .iter()
            .any(|it| authenticates_connection(it))
    }) {
        return;
    }
    headers.remove(WWW_AUTHENTICATE);
    for field in &fields {
        let mut kept = challenges(field.as_bytes());
        kept.retain(|challenge| !authenticates_connection(challenge));
        if let (false, Ok(value)) = (
            kept.is_empty(),
            HeaderValue::from_bytes(&kept.join(&b", "[..])),
        ) {
            headers.append(WWW_AUTHENTICATE, value);
        }
    }
}

/// The challenges of a field (RFC 9110, section 11.6.1): the parts between its commas, each with
/// those behind it that are parameters and not a scheme.
fn challenges(field: &[u8]) -> Vec<&[u8]> {
    let mut found: Vec<&[u8]> = Vec::new();
    let (mut begins, mut from) = (0, 0);
    while let Some(rest) = field.get(from..).filter(|rest| !rest.is_empty()) {
        let end = from + part(rest);
        let text = field.get(from..end).unwrap_or_default();
        if from > begins && begins_challenge(text) {
            found.extend(field.get(begins..from.saturating_sub(1)));
            begins = from;
        }
        from = end + 1;
    }
    found.extend(field.get(begins..));
    let between = |byte: &u8| matches!(byte, b',' | b' ' | b'\t');
    let bare = found.iter().filter_map(|text| {
        let (first, last) = (
            text.iter().position(|it| !between(it))?,
            text.iter().rposition(|it| !between(it))?,
        );
        text.get(first..=last)
    });
    bare.collect()
}

/// How long the part before the next comma is that is not between quotes.
fn part(text: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let comma = text.iter().position(|byte| {
        let ends = *byte == b',' && !quoted;
        match (*byte, escaped) {
            (b'"', false) => quoted = !quoted,
            (b'\\', false) if quoted => escaped = true,
            _ => escaped = false,
        }
        ends
    });
    comma.unwrap_or(text.len())
}

/// A scheme stands alone, or before a space and something that is no equals sign.
fn begins_challenge(part: &[u8]) -> bool {
    let part = part.trim_ascii();
    let word = part
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t' | b'='))
        .unwrap_or(part.len());
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
            (&["Negotiated"], &["Negotiated"]),
        ] {
            assert_eq!(stripped(fields), left, "{fields:?}");
        }
    }

    #[test]
    fn credentials_for_connections_are_told_from_others() {
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
