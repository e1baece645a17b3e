//! The challenges of a response (RFC 9110, section 11.6.1), and the sign-in that one of them
//! demands (RFC 9470, section 3).
//!
//! They are text of a stranger: what is shown or sent on is short, and holds nothing that a
//! terminal or a shell would obey.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// One challenge of an API: a scheme with its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ApiChallenge {
    pub(super) scheme: String,
    parameters: Vec<(String, String)>,
}

/// The sign-in that an API demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignInDemand {
    pub(super) acr_values: Option<String>,
    pub(super) max_age: Option<u32>,
    /// The scopes that the token must have, besides those that it has.
    pub(super) scope: Option<String>,
}

impl ApiChallenge {
    /// All challenges of a response.
    pub(crate) fn all(headers: &HeaderMap) -> Vec<Self> {
        let mut challenges = Vec::new();
        for value in headers.get_all(WWW_AUTHENTICATE) {
            if let Ok(value) = value.to_str() {
                challenges.extend(parse(value));
            }
        }
        challenges
    }

    /// Whether it has this scheme.
    pub(super) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// A parameter, if it is fit to be shown and sent on.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        // Of a repeated parameter, only the first counts.
        let is_named = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        let (_, value) = self.parameters.iter().find(is_named)?;
        let value = value.trim();
        let is_plain = !value.is_empty() && value.chars().all(|c| c == ' ' || c.is_ascii_graphic());
        (is_plain && value.len() <= MAX_PARAMETER).then_some(value)
    }

    /// The sign-in that it demands, if it demands one: another way to sign in (RFC 9470, section 3)
    /// or more scopes (RFC 6750, section 3.1).
    pub(super) fn sign_in_demand(&self) -> Option<SignInDemand> {
        // `acr_values` beside another error means nothing: only RFC 9470 defines it.
        let steps_up = match self.parameter("error")? {
            "insufficient_user_authentication" => true,
            "insufficient_scope" => false,
            _ => return None,
        };
        let max_age = self
            .parameter("max_age")
            .and_then(|age| age.parse().ok());
        let acr_values = self.parameter("acr_values").map(str::to_owned);
        let demand = SignInDemand {
            acr_values: acr_values.filter(|_| steps_up),
            max_age: max_age.filter(|_| steps_up),
            scope: self.parameter("scope").map(str::to_owned),
        };
        // With none of them, there is nothing to ask the provider for.
        let is_empty =
            demand.acr_values.is_none() && demand.max_age.is_none() && demand.scope.is_none();
        (!is_empty).then_some(demand)
    }
}

impl SignInDemand {
    /// Whether a person has to do something for it, whoever asks.
    pub(super) fn is_about_person(&self) -> bool {
        self.acr_values.is_some() || self.max_age.is_some()
    }

    /// The same demand for a token that keeps these scopes, which it has already.
    pub(super) fn beside(self, scopes: &str) -> Self {
        let Some(scope) = &self.scope else {
            return self;
        };
        // A challenge names all scopes that are needed (RFC 6750, section 3), yet many APIs name
        // the missing ones alone: the union serves both.
        let mut all: Vec<&str> = scopes.split_ascii_whitespace().collect();
        for name in scope.split_ascii_whitespace() {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        Self {
            scope: Some(all.join(" ")),
            ..self
        }
    }

    /// The arguments that request it, as they are typed into a shell.
    pub(super) fn arguments(&self) -> String {
        let mut arguments = String::new();
        if let Some(values) = &self.acr_values {
            _ = write!(arguments, " --acr-values {}", quote_for_shell(values));
        }
        if let Some(seconds) = self.max_age {
            _ = write!(arguments, " --max-age {seconds}");
        }
        if let Some(scope) = &self.scope {
            _ = write!(arguments, " --scope {}", quote_for_shell(scope));
        }
        arguments
    }
}

/// A word of a shell. The text is an API's, and the person may paste the line.
fn quote_for_shell(text: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "._-/:@%+=".contains(c);
    if text.chars().all(is_bare) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn parse(value: &str) -> Vec<ApiChallenge> {
    let mut challenges: Vec<ApiChallenge> = Vec::new();
    let mut rest = value.chars().peekable();
    loop {
        skip(&mut rest, is_separator);
        let word = take_while(&mut rest, is_word);
        skip_space(&mut rest);
        match (word.is_empty(), rest.peek()) {
            // A word before `=` is a parameter; any other word begins the next challenge.
            (_, Some('=')) => {
                rest.next();
                let value = parse_value(&mut rest);
                if let Some(challenge) = challenges.last_mut() {
                    challenge.parameters.push((word, value));
                }
            }
            (false, _) => challenges.push(ApiChallenge {
                scheme: word,
                parameters: Vec::new(),
            }),
            (true, None) => return challenges,
            // A character that no word can begin with. Skipping it keeps the loop from hanging.
            (true, Some(_)) => _ = rest.next(),
        }
    }
}

/// A token or a quoted string (RFC 9110, section 5.6).
fn parse_value(rest: &mut Peekable<Chars<'_>>) -> String {
    skip_space(rest);
    if rest.next_if_eq(&'"').is_none() {
        return take_while(rest, is_in_token);
    }
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

fn is_separator(c: char) -> bool {
    c == ',' || c.is_ascii_whitespace()
}

fn is_word(c: char) -> bool {
    c.is_ascii_graphic() && !",=\"".contains(c)
}

fn is_in_token(c: char) -> bool {
    !is_separator(c)
}

fn skip_space(rest: &mut Peekable<Chars<'_>>) {
    skip(rest, |c| c.is_ascii_whitespace());
}

fn skip(rest: &mut Peekable<Chars<'_>>, matches: impl Fn(char) -> bool) {
    while rest.next_if(|c| matches(*c)).is_some() {}
}

fn take_while(rest: &mut Peekable<Chars<'_>>, matches: impl Fn(char) -> bool) -> String {
    let mut text = String::new();
    while let Some(c) = rest.next_if(|c| matches(*c)) {
        text.push(c);
    }
    text
}

/// The bound on a parameter: it goes into a URL and onto a terminal.
const MAX_PARAMETER: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(values: &[&str]) -> Option<SignInDemand> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        ApiChallenge::all(&headers)
            .iter()
            .find_map(ApiChallenge::sign_in_demand)
    }

    fn expected(acr_values: Option<&str>, max_age: Option<u32>) -> Option<SignInDemand> {
        Some(SignInDemand {
            acr_values: acr_values.map(str::to_owned),
            max_age,
            scope: None,
        })
    }

    #[test]
    fn missing_scopes_are_a_demand() {
        let of = |scope: &str| {
            Some(SignInDemand {
                acr_values: None,
                max_age: None,
                scope: Some(scope.to_owned()),
            })
        };
        assert_eq!(
            demand(&["Bearer error=\"insufficient_scope\", scope=\"a b\", acr_values=\"x\""]),
            of("a b")
        );
        assert_eq!(demand(&["Bearer error=\"insufficient_scope\""]), None);
        let both = "Bearer error=\"insufficient_user_authentication\", max_age=9, scope=\"a\"";
        let both = demand(&[both]).unwrap();
        assert_eq!(both.arguments(), " --max-age 9 --scope a");
    }

    #[test]
    fn the_demanded_sign_in_is_read() {
        let asks = "Bearer error=\"insufficient_user_authentication\"";
        // The example of RFC 9470, section 3.
        let example = format!(
            "{asks}, error_description=\"A different authentication level is required\", \
                acr_values=\"myACR\""
        );
        assert_eq!(demand(&[&example]), expected(Some("myACR"), None));
        assert_eq!(
            demand(&[&format!("{asks}, max_age=\"5\"")]),
            expected(None, Some(5))
        );
        assert_eq!(
            demand(&[&format!("{asks},max_age=5 , acr_values=\"a b\"")]),
            expected(Some("a b"), Some(5))
        );
        let others = format!(
            "Basic realm=\"a, Bearer b=\\\"c\\\"\", DPoP algs=\"ES256\", {asks}, max_age=0"
        );
        assert_eq!(demand(&[&others]), expected(None, Some(0)));
        assert_eq!(
            demand(&["Negotiate abc==", &example]),
            expected(Some("myACR"), None)
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
            assert_eq!(demand(&[value]), None, "{value}");
        }
        let long = format!(
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"{}\"",
            "x".repeat(600)
        );
        assert_eq!(demand(&[&long]), None);
    }

    #[test]
    fn a_line_to_paste_runs_nothing_of_a_stranger() {
        let demand = SignInDemand {
            acr_values: Some("a'; rm -rf $HOME #".to_owned()),
            max_age: Some(5),
            scope: None,
        };
        assert_eq!(
            demand.arguments(),
            " --acr-values 'a'\\''; rm -rf $HOME #' --max-age 5"
        );
        let plain = SignInDemand {
            acr_values: Some("urn:mace:silver".to_owned()),
            max_age: None,
            scope: None,
        };
        assert_eq!(plain.arguments(), " --acr-values urn:mace:silver");
    }
}
