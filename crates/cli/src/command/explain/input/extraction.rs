//! The token in a text that somebody pasted: a header, a command, a token response, an address.
//!
//! Refuses texts that show what they are and hold no token. Everything else is taken as it is, so
//! that the checks say what is wrong with it.

use super::command_line::{PastedRequest, is_token_character, token_at};
use super::response;
use crate::exit::CommandError;

/// A token, and what it was taken out of.
#[derive(Debug)]
pub(super) struct Extraction {
    pub(super) token: String,
    pub(super) form: SourceForm,
    pub(super) notes: Vec<String>,
    pub(super) beside: PastedRequest,
}

/// What a token was taken out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceForm {
    Token,
    Header,
    Command,
    TokenResponse,
    Credential,
    Address,
    Text,
}

impl SourceForm {
    /// The word for it in JSON. It never changes.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Header => "header",
            Self::Command => "command",
            Self::TokenResponse => "token_response",
            Self::Credential => "credential",
            Self::Address => "address",
            Self::Text => "text",
        }
    }
}

impl Extraction {
    /// Finds the token in a text.
    pub(super) fn of(text: &str) -> Result<Self, CommandError> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let bare = text.trim_end_matches([',', ';']).trim_end();
        let unquoted = strip_quotes(bare);
        if unquoted.starts_with('{') {
            return response::extract(unquoted);
        }
        if let Some(found) = of_header(unquoted)? {
            return Ok(found);
        }
        if let Some(found) = of_address(unquoted) {
            return Ok(found);
        }
        let mut found = of_words(unquoted);
        if unquoted.len() < text.len() {
            found.note("quotes or punctuation around it were dropped");
        }
        Ok(found)
    }

    /// A token out of this form, without notes.
    pub(super) fn new(token: impl Into<String>, form: SourceForm) -> Self {
        Self {
            token: token.into(),
            form,
            notes: Vec::new(),
            beside: PastedRequest::default(),
        }
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

fn strip_quotes(text: &str) -> &str {
    for quote in ['"', '\'', '`'] {
        let inside = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inside) = inside {
            return inside.trim();
        }
    }
    text
}

/// A header line or a command with one, such as `curl -H 'Authorization: Bearer ...'`.
fn of_header(text: &str) -> Result<Option<Extraction>, CommandError> {
    let lower = text.to_ascii_lowercase();
    let (start, form) = if let Some(at) = lower.find("authorization:") {
        let form = if at == 0 {
            SourceForm::Header
        } else {
            SourceForm::Command
        };
        (at + "authorization:".len(), form)
    } else if let Some(at) = lower.find("--oauth2-bearer") {
        (at + "--oauth2-bearer".len(), SourceForm::Command)
    } else if SCHEMES.iter().any(|scheme| lower.starts_with(scheme)) {
        (0, SourceForm::Header)
    } else {
        return Ok(None);
    };
    let rest = text.get(start..).unwrap_or_default();
    let rest = rest.trim_start_matches([' ', '=', '\t', '"', '\'']);
    let (scheme, rest) = split_scheme(rest);
    if scheme.eq_ignore_ascii_case("basic") {
        let message = "expected a bearer token, found credentials of the scheme Basic";
        return Err(CommandError::could_not_run(message));
    }
    let token = token_at(rest);
    if token.is_empty() {
        let found = match rest.trim_start_matches(['"', '\'']).chars().next() {
            Some('$' | '%' | '{') => "the name of a variable",
            _ => "none",
        };
        let message = format!("expected a token in the header, found {found}");
        let help = "print the variable, and pass the token itself";
        return Err(CommandError::could_not_run(message).help(help));
    }
    let mut found = Extraction::new(token, form);
    found.beside = PastedRequest::read(text, scheme);
    if scheme.eq_ignore_ascii_case("dpop") && found.beside.proof.is_none() {
        found.note("the scheme is DPoP: the token is good with a proof of its key only");
    }
    if lower.matches("authorization:").count() > 1 {
        found.note("there are several Authorization headers, and the first one counts here");
    }
    Ok(Some(found))
}

const SCHEMES: [&str; 2] = ["bearer ", "dpop "];

/// The scheme in front of a token, which may be missing, and the rest.
fn split_scheme(text: &str) -> (&str, &str) {
    match text.split_once(' ') {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            (scheme, rest.trim_start())
        }
        _ => ("", text),
    }
}

/// The address to which a provider sent the browser back, or a form.
fn of_address(text: &str) -> Option<Extraction> {
    let (name, beside) = if has_parameter(text, "access_token") {
        ("access_token", has_parameter(text, "id_token"))
    } else if has_parameter(text, "id_token") {
        ("id_token", false)
    } else {
        return None;
    };
    let parameters = text.split(['?', '#', '&']);
    let mut values = parameters.filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let mut found = Extraction::new(token_at(values.next()?), SourceForm::Address);
    note_choice(&mut found, name, beside);
    Some(found)
}

fn has_parameter(text: &str, name: &str) -> bool {
    let is_it = |pair: &str| matches!(pair.split_once('='), Some((found, _)) if found == name);
    text.split(['?', '#', '&']).any(is_it)
}

/// Says which of two tokens was taken.
pub(super) fn note_choice(found: &mut Extraction, name: &str, has_id_token: bool) {
    match (name, has_id_token) {
        ("id_token", _) => found.note("there is an `id_token` only, and no `access_token`"),
        (_, true) => found.note("an `id_token` is beside the `access_token`, and was left out"),
        _ => {}
    }
}

/// A token with line breaks, a token within other text, or a text that is taken as it is.
fn of_words(text: &str) -> Extraction {
    if text.chars().all(is_token_character) {
        return Extraction::new(text, SourceForm::Token);
    }
    let joined: String = text.split_whitespace().collect();
    let is_jwt = joined.starts_with("ey") && matches!(joined.matches('.').count(), 2 | 4);
    if is_jwt && joined.chars().all(is_token_character) {
        let mut found = Extraction::new(joined, SourceForm::Token);
        found.note("white space within it was dropped: a server refuses it with the white space");
        return found;
    }
    let mut jwts = text.split(|character| !is_jwt_character(character));
    let is_jwt = |word: &&str| word.starts_with("ey") && word.matches('.').count() >= 2;
    match jwts.find(is_jwt) {
        Some(first) => {
            let mut found = Extraction::new(first, SourceForm::Text);
            if jwts.any(|word| is_jwt(&word) && word != first) {
                found.note("there are several tokens in it, and the first one counts here");
            }
            found
        }
        None => Extraction::new(text, SourceForm::Token),
    }
}

fn is_jwt_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJub25lIn0.e30.AA-_";

    #[test]
    fn a_token_is_found_wherever_it_was_pasted_from() {
        use SourceForm::{Address, Command, Credential, Header, Text, Token, TokenResponse};
        for (text, form, notes) in [
            (JWT.to_owned(), Token, 0),
            (format!(" {JWT}\r\n"), Token, 0),
            (format!("\u{feff}{JWT}"), Token, 0),
            (format!("\"{JWT}\","), Token, 1),
            (format!("'{JWT}'"), Token, 1),
            (JWT.replace('.', ".\n  "), Token, 1),
            (format!("Bearer {JWT}"), Header, 0),
            (format!("bearer  {JWT}"), Header, 0),
            (format!("DPoP {JWT}"), Header, 1),
            (format!("Authorization: Bearer {JWT}"), Header, 0),
            (format!("authorization:{JWT}"), Header, 0),
            (
                format!("curl -H 'Authorization: Bearer {JWT}' https://a.example"),
                Command,
                0,
            ),
            (
                format!("curl --header=\"authorization: bearer {JWT}\" x"),
                Command,
                0,
            ),
            (
                format!("curl https://a.example \\\n  -H\"Authorization: Bearer {JWT}\""),
                Command,
                0,
            ),
            (
                format!("curl --oauth2-bearer {JWT} https://a.example"),
                Command,
                0,
            ),
            (
                format!("curl --oauth2-bearer='{JWT}' https://a.example"),
                Command,
                0,
            ),
            (
                format!("http a.example Authorization:'Bearer {JWT}'"),
                Command,
                0,
            ),
            (
                format!("curl -H 'Authorization: Bearer {JWT}' -H 'Authorization: x'"),
                Command,
                1,
            ),
            (
                format!(r#"{{"access_token":"{JWT}","token_type":"Bearer"}}"#),
                TokenResponse,
                0,
            ),
            (
                format!(r#"{{"id_token":"a","access_token":"{JWT}"}}"#),
                TokenResponse,
                1,
            ),
            (format!(r#"{{"id_token":"{JWT}"}}"#), TokenResponse, 1),
            (
                format!(r#"{{"token_type":"DPoP","access_token":"{JWT}"}}"#),
                TokenResponse,
                1,
            ),
            (
                format!(r#"{{"kind":"ExecCredential","status":{{"token":"{JWT}"}}}}"#),
                Credential,
                0,
            ),
            (
                format!("https://app.example/cb#access_token={JWT}&id_token=b"),
                Address,
                1,
            ),
            (
                format!("https://app.example/cb#id_token={JWT}&state=b"),
                Address,
                1,
            ),
            (format!("export TOKEN={JWT}"), Text, 0),
            (
                format!("request with {JWT}, refused; before: {JWT}x"),
                Text,
                1,
            ),
        ] {
            let found = Extraction::of(&text).unwrap();
            let told = (found.token.as_str(), found.form, found.notes.len());
            assert_eq!(told, (JWT, form, notes), "{text}");
        }
    }

    #[test]
    fn what_holds_no_token_is_told_and_never_repeated() {
        for (text, expected) in [
            ("Authorization: Basic c2VjcmV0", "scheme Basic"),
            ("curl -H \"Authorization: Bearer $TOKEN\" x", "a variable"),
            ("curl -H 'Authorization: Bearer ' x", "found none"),
            (
                r#"{"error":"invalid_client","error_description":"secret"}"#,
                "`invalid_client`",
            ),
            (r#"{"secret":1}"#, "expected a token response"),
            (
                r#"{"access_token":5}"#,
                "expected `access_token` to be a string",
            ),
            ("{secret", "expected a token response in JSON"),
            (r#"{"payload":"secret","signature":"x"}"#, "compact form"),
        ] {
            let error = Extraction::of(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(
                !error.contains("secret") && !error.contains("c2Vj"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_no_token_is_left_to_the_checks() {
        for text in ["", "two words", "opaque", "ya29.a0/b=", "not.a.token"] {
            assert_eq!(Extraction::of(text).unwrap().token, text);
        }
    }
}
