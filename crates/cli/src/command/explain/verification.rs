//! The command that verifies a token, with the issuer and the audience that the token names.
//!
//! Both are a stranger's text, and the line is for a shell: what could do more there than stand for
//! itself is left to the reader.

use super::input::InputPlace;
use portcullis_core::token::Issuer;
use portcullis_resource_server::TokenContent;

/// The command, if there is anything to verify.
pub(super) fn command(content: &TokenContent, place: &InputPlace) -> Option<String> {
    // Not every `iss` is a URL that can be asked; the checks would refuse to start.
    let issuer = content
        .text("iss")
        .filter(|text| Issuer::parse(*text).is_ok());
    let issuer = word(issuer?)?;
    let audience = content.audiences().first().copied().and_then(word);
    let audience = audience.unwrap_or_else(|| "AUDIENCE".to_owned());
    let mut command = format!("portcullis explain --issuer {issuer} --audience {audience}");
    if let InputPlace::File(file) = place
        && let Some(file) = file.to_str().and_then(word)
    {
        command.push_str(&format!(" --file {file}"));
    }
    Some(command)
}

/// A text as one word of a shell: as it is, or in quotes. `None` if it may not be safe there.
fn word(text: &str) -> Option<String> {
    const LONGEST: usize = 200;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/@%+=,".contains(&byte);
    // A word that begins with `-` would be an option. The page breaks a long line before ` --`,
    // which within quotes would change the word.
    let is_odd = text.starts_with('-') || text.contains(" --");
    if text.is_empty() || text.len() > LONGEST || is_odd {
        return None;
    }
    if text.bytes().all(is_plain) {
        return Some(text.to_owned());
    }
    // Within single quotes a POSIX shell changes nothing.
    let is_quotable = |byte: u8| (byte.is_ascii_graphic() || byte == b' ') && byte != b'\'';
    text.bytes()
        .all(is_quotable)
        .then(|| format!("'{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    fn of(claims: &str, place: &InputPlace) -> Option<String> {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let token = format!("{}.{}.AAAA", part(r#"{"alg":"RS256"}"#), part(claims));
        command(&TokenContent::read(&token, None), place)
    }

    #[test]
    fn the_line_can_be_pasted_and_nothing_in_it_runs() {
        let place = InputPlace::Argument;
        for (claims, expected) in [
            (
                r#"{"iss":"https://idp.example","aud":"api://a"}"#,
                Some("portcullis explain --issuer https://idp.example --audience api://a"),
            ),
            (
                r#"{"iss":"https://idp.example","aud":["a b","c"]}"#,
                Some("portcullis explain --issuer https://idp.example --audience 'a b'"),
            ),
            (
                r#"{"iss":"https://idp.example","aud":"$(reboot)"}"#,
                Some("portcullis explain --issuer https://idp.example --audience '$(reboot)'"),
            ),
            (
                r#"{"iss":"https://idp.example","aud":"a';reboot'"}"#,
                Some("portcullis explain --issuer https://idp.example --audience AUDIENCE"),
            ),
            (
                r#"{"iss":"https://idp.example"}"#,
                Some("portcullis explain --issuer https://idp.example --audience AUDIENCE"),
            ),
            (r#"{"iss":"https://idp.example/$(reboot)'"}"#, None),
            (
                r#"{"iss":"https://idp.example","aud":"a --file b"}"#,
                Some("portcullis explain --issuer https://idp.example --audience AUDIENCE"),
            ),
            (r#"{"iss":"not a url"}"#, None),
            ("{}", None),
        ] {
            assert_eq!(of(claims, &place).as_deref(), expected, "{claims}");
        }
        let file = InputPlace::File("my token".into());
        let command = of(r#"{"iss":"https://idp.example","aud":"a"}"#, &file).unwrap();
        assert!(command.ends_with(" --file 'my token'"), "{command}");
    }
}
