//! What a pasted request shows beside its token: the proof, and in a curl line the method and URL.

/// What a pasted request shows beside its token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PastedRequest {
    /// Whether the token came under the scheme `Bearer`.
    pub(crate) is_bearer: bool,
    /// The value of the header `DPoP`.
    pub(crate) proof: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) url: Option<String>,
}

impl PastedRequest {
    /// Reads a header or a command. Nothing of it is run.
    pub(super) fn read(text: &str, scheme: &str) -> Self {
        let mut request = Self {
            is_bearer: scheme.eq_ignore_ascii_case("bearer"),
            proof: proof(text),
            ..Self::default()
        };
        let words = words(text);
        if words.first().is_some_and(|word| word == "curl") {
            request.read_words(&words);
        }
        request
    }

    fn read_words(&mut self, words: &[String]) {
        let mut has_content = false;
        let mut words = words.iter().skip(1);
        while let Some(word) = words.next() {
            match &**word {
                "-X" | "--request" => self.method = words.next().cloned(),
                "-I" | "--head" => self.method = Some("HEAD".to_owned()),
                "--url" => self.url = words.next().cloned(),
                // Their values are no URLs, even where they look like one.
                "-H" | "--header" | "-e" | "--referer" | "-x" | "--proxy" | "-o" => {
                    words.next();
                }
                "-d" | "--data" | "--data-raw" | "--data-binary" | "--json" | "-F" => {
                    has_content = true;
                    words.next();
                }
                word if word.starts_with("-X") => self.method = word.get(2..).map(str::to_owned),
                word if is_url(word) && self.url.is_none() => self.url = Some(word.to_owned()),
                _ => {}
            }
        }
        if has_content {
            self.method.get_or_insert_with(|| "POST".to_owned());
        }
    }
}

fn is_url(word: &str) -> bool {
    word.starts_with("https://") || word.starts_with("http://")
}

/// The value of the header `DPoP`, wherever it stands.
fn proof(text: &str) -> Option<String> {
    const NAME: &str = "dpop:";
    let lower = text.to_ascii_lowercase();
    let mut places = lower.match_indices(NAME);
    let (at, _) = places.find(|(at, _)| {
        let before = lower.get(..*at).unwrap_or_default();
        before
            .chars()
            .next_back()
            .is_none_or(|it| it.is_whitespace() || matches!(it, '"' | '\''))
    })?;
    let rest = text.get(at + NAME.len()..)?;
    let proof = token_at(rest.trim_start());
    (!proof.is_empty()).then(|| proof.to_owned())
}

/// The token that a text begins with, behind a quote.
pub(super) fn token_at(text: &str) -> &str {
    let text = text.trim_start_matches(['"', '\'']);
    let end = text.find(|character| !is_token_character(character));
    text.get(..end.unwrap_or(text.len()))
        .unwrap_or_default()
}

/// `b64token` of RFC 6750, section 2.1.
pub(super) fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~+/=".contains(character)
}

/// The words of a command as a POSIX shell divides them, without expanding anything.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), closing) if open == closing => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            // Before a line break it joins two lines.
            (None | Some('"'), '\\') => match characters.next() {
                Some('\n') | None => {}
                Some(escaped) => word.get_or_insert_default().push(escaped),
            },
            (None, blank) if blank.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curl_line_says_what_is_asked_for() {
        for (line, method, url) in [
            ("https://a.example/x", None, "https://a.example/x"),
            (
                "-X PUT 'https://a.example/x y'",
                Some("PUT"),
                "https://a.example/x y",
            ),
            (
                "-XPUT \\\n --url http://a.example",
                Some("PUT"),
                "http://a.example",
            ),
            ("-I https://a.example", Some("HEAD"), "https://a.example"),
            (
                "https://a.example -d https://b.example",
                Some("POST"),
                "https://a.example",
            ),
            (
                "-e https://b.example https://a.example",
                None,
                "https://a.example",
            ),
        ] {
            let line = format!("curl -H \"DPoP: e.y-_.J\" -H 'Authorization: DPoP t' {line}");
            let read = PastedRequest::read(&line, "DPoP");
            assert_eq!(read.proof.as_deref(), Some("e.y-_.J"), "{line}");
            assert_eq!(read.method.as_deref(), method, "{line}");
            assert_eq!(read.url.as_deref(), Some(url), "{line}");
            assert!(!read.is_bearer);
        }
    }

    #[test]
    fn only_a_header_of_that_name_is_a_proof() {
        let proof = |text| PastedRequest::read(text, "").proof;
        assert_eq!(proof("Authorization: DPoP e.y.J"), None);
        assert_eq!(proof("X-DPoP: e.y.J"), None);
        assert_eq!(proof("dpop: $PROOF"), None);
        let head = "GET /x HTTP/1.1\nAuthorization: DPoP t\ndpop:e.y.J\n";
        assert_eq!(proof(head).as_deref(), Some("e.y.J"));
    }
}
