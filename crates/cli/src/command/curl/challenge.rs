//! The challenges of an answer (RFC 9110, section 11.6.1), and what one of them asks of the person
//! (RFC 9470, section 3).
//!
//! It is text of a stranger: what is shown or sent on of it is short, and steers no terminal.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use std::iter::Peekable;
use std::str::Chars;

/// One challenge: a scheme with its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) scheme: String,
    parameters: Vec<(String, String)>,
}

/// What an API wants of a person's sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepUp {
    pub(super) acr_values: Option<String>,
    pub(super) max_age: Option<u32>,
}

impl Challenge {
    /// All challenges of an answer.
    pub(super) fn all(headers: &HeaderMap) -> Vec<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(parse)
            .collect()
    }

    /// Whether it is of this scheme.
    pub(super) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// A parameter that is fit to be shown and sent on.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let value = self
            .parameters
            .iter()
            .find(|(held, _)| held.eq_ignore_ascii_case(name));
        let is_plain = |value: &&str| {
            value.len() <= 512 && value.chars().all(|c| c == ' ' || c.is_ascii_graphic())
        };
        value
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
            .filter(is_plain)
    }

    /// What it wants of the person, where it wants another sign-in.
    pub(super) fn step_up(&self) -> Option<StepUp> {
        let asks = self.parameter("error") == Some("insufficient_user_authentication");
        let acr_values = self.parameter("acr_values").map(str::to_owned);
        let max_age = self
            .parameter("max_age")
            .and_then(|seconds| seconds.parse().ok());
        (asks && (acr_values.is_some() || max_age.is_some())).then_some(StepUp {
            acr_values,
            max_age,
        })
    }
}

impl StepUp {
    /// The arguments that ask for it, as they are typed into a shell.
    pub(super) fn arguments(&self) -> String {
        let acr_values = self
            .acr_values
            .as_ref()
            .map(|values| format!(" --acr-values {}", quoted(values)));
        let max_age = self.max_age.map(|seconds| format!(" --max-age {seconds}"));
        acr_values.into_iter().chain(max_age).collect()
    }
}

/// A word for a shell, whatever an API wrote into it.
fn quoted(text: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "._-/:@%+=".contains(c);
    if text.chars().all(is_bare) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn parse(value: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = value.chars().peekable();
    loop {
        skip(&mut rest, |c| c == ',' || c.is_ascii_whitespace());
        let word = take(&mut rest, |c| c.is_ascii_graphic() && !",=\"".contains(c));
        skip(&mut rest, |c| c.is_ascii_whitespace());
        match (word.is_empty(), rest.peek()) {
            (_, Some('=')) => {
                rest.next();
                skip(&mut rest, |c| c.is_ascii_whitespace());
                let value = match rest.peek() {
                    Some('"') => quoted_string(&mut rest),
                    _ => take(&mut rest, |c| c != ',' && !c.is_ascii_whitespace()),
                };
                if let Some(challenge) = challenges.last_mut() {
                    challenge.parameters.push((word, value));
                }
            }
            (false, _) => challenges.push(Challenge {
                scheme: word,
                parameters: Vec::new(),
            }),
            (true, None) => return challenges,
            // What cannot begin a word is passed over.
            (true, Some(_)) => _ = rest.next(),
        }
    }
}

fn quoted_string(rest: &mut Peekable<Chars<'_>>) -> String {
    rest.next();
    let mut text = String::new();
    while let Some(c) = rest.next() {
        match c {
            '"' => break,
            '\\' => text.extend(rest.next()),
            c => text.push(c),
        }
    }
    text
}

fn skip(rest: &mut Peekable<Chars<'_>>, which: impl Fn(char) -> bool) {
    while rest.next_if(|c| which(*c)).is_some() {}
}

fn take(rest: &mut Peekable<Chars<'_>>, which: impl Fn(char) -> bool) -> String {
    std::iter::from_fn(|| rest.next_if(|c| which(*c))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step_up(values: &[&str]) -> Option<StepUp> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        Challenge::all(&headers).iter().find_map(Challenge::step_up)
    }

    fn wanted(acr_values: Option<&str>, max_age: Option<u32>) -> Option<StepUp> {
        Some(StepUp {
            acr_values: acr_values.map(str::to_owned),
            max_age,
        })
    }

    #[test]
    fn what_an_api_wants_is_read() {
        let asks = "Bearer error=\"insufficient_user_authentication\"";
        // The example of RFC 9470, section 3.
        let example = format!(
            "{asks}, error_description=\"A different authentication level is required\", \
                acr_values=\"myACR\""
        );
        assert_eq!(step_up(&[&example]), wanted(Some("myACR"), None));
        assert_eq!(
            step_up(&[&format!("{asks}, max_age=\"5\"")]),
            wanted(None, Some(5))
        );
        assert_eq!(
            step_up(&[&format!("{asks},max_age=5 , acr_values=\"a b\"")]),
            wanted(Some("a b"), Some(5))
        );
        let others = format!(
            "Basic realm=\"a, Bearer b=\\\"c\\\"\", DPoP algs=\"ES256\", {asks}, max_age=0"
        );
        assert_eq!(step_up(&[&others]), wanted(None, Some(0)));
        assert_eq!(
            step_up(&["Negotiate abc==", &example]),
            wanted(Some("myACR"), None)
        );
    }

    #[test]
    fn anything_else_asks_for_no_sign_in() {
        for value in [
            "Bearer",
            "",
            "Bearer error=\"invalid_token\", acr_values=\"x\"",
            "Bearer error=\"insufficient_user_authentication\"",
            "Bearer error=\"insufficient_user_authentication\", max_age=\"soon\"",
            "Bearer error=\"insufficient_user_authentication\", max_age=-1",
            "Basic realm=\"error=insufficient_user_authentication, max_age=5\"",
            "=, ,\"=\"",
        ] {
            assert_eq!(step_up(&[value]), None, "{value}");
        }
        let long = format!(
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"{}\"",
            "x".repeat(600)
        );
        assert_eq!(step_up(&[&long]), None);
    }

    #[test]
    fn what_is_told_to_type_runs_nothing_of_a_strangers() {
        let step_up = StepUp {
            acr_values: Some("a'; rm -rf $HOME #".to_owned()),
            max_age: Some(5),
        };
        assert_eq!(
            step_up.arguments(),
            " --acr-values 'a'\\''; rm -rf $HOME #' --max-age 5"
        );
        let plain = StepUp {
            acr_values: Some("urn:mace:silver".to_owned()),
            max_age: None,
        };
        assert_eq!(plain.arguments(), " --acr-values urn:mace:silver");
    }
}
