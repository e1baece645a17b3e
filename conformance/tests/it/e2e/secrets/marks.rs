//! What must not come out, in every form that a program might write it in.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Texts that are looked for, each with the name of the secret that it is a form of.
#[derive(Default)]
pub(super) struct Marks(Vec<(String, String)>);

impl Marks {
    /// A secret; its forms are looked for as well.
    pub(super) fn secret(&mut self, name: &str, text: &str) -> String {
        assert!(
            text.len() >= 12,
            "{name} is too short to be told from other text"
        );
        for form in forms(text) {
            self.0.push((name.to_owned(), form));
        }
        text.to_owned()
    }

    /// A JWT: its claims and its signature. The header is the same for all tokens of a key, and no
    /// secret.
    pub(super) fn token(&mut self, name: &str, token: &str) -> String {
        for part in token.split('.').skip(1).filter(|part| part.len() > 20) {
            self.secret(name, part);
        }
        token.to_owned()
    }

    /// All but the mark of this name, where that is meant to be shown.
    pub(super) fn without(&self, name: &str) -> Self {
        let others = self.0.iter().filter(|(held, _)| held != name);
        Self(others.cloned().collect())
    }

    pub(super) fn are_not_in(&self, place: &str, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        for (name, form) in &self.0 {
            if let Some(at) = text.find(form) {
                let before: String = text[..at]
                    .chars()
                    .rev()
                    .take(200)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev()
                    .collect();
                panic!("{place} shows {name}, after: {before}");
            }
        }
    }

    #[cfg(test)]
    fn found(&self, text: &str) -> bool {
        self.0.iter().any(|(_, form)| text.contains(form))
    }
}

/// A text as it is, in base64 at each of the three places that it can begin at, in hexadecimal, and
/// escaped for URLs.
fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned()];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        for before in 0..3 {
            // What stands before and after changes the first and the last characters: those between
            // are the same.
            let whole = engine.encode([vec![b'x'; before], text.as_bytes().to_vec()].concat());
            let first = [0, 2, 3][before];
            let sure = (before + text.len()) / 3 * 4;
            forms.push(whole[first..sure.max(first)].to_owned());
        }
    }
    let hex = |byte: &u8| format!("{byte:02x}");
    let hex: String = text.as_bytes().iter().map(hex).collect();
    forms.extend([hex.to_uppercase(), hex]);
    forms.push(url::form_urlencoded::byte_serialize(text.as_bytes()).collect());
    // As lists of numbers, which is what Debug makes of bytes.
    forms.push(
        text.as_bytes()
            .iter()
            .take(12)
            .map(u8::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    );
    forms.sort_unstable();
    forms.dedup();
    forms.retain(|form| form.len() >= 12);
    forms
}

#[test]
fn a_mark_is_found_in_every_form() {
    let mut marks = Marks::default();
    marks.secret("a secret", "marked/secret+of 20");
    let engines = [STANDARD_NO_PAD, URL_SAFE_NO_PAD];
    for before in ["", "a", "id:", "Bearer "] {
        let text = format!("{before}marked/secret+of 20 and more");
        for engine in &engines {
            assert!(marks.found(&engine.encode(&text)), "{before}");
        }
        assert!(marks.found(&format!("{:?}", text.as_bytes())));
    }
    assert!(marks.found("x=marked%2Fsecret%2Bof+20&y"));
    assert!(marks.found("6d61726b65642f7365637265742b6f66203230"));
    assert!(!marks.found("something else that is marked"));
}
