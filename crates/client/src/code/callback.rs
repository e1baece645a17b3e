//! The callback: the query with which the browser returns (RFC 6749, section 4.1.2; RFC 9207).
//!
//! Refuses: more than 16 KiB, a repeated parameter, another issuer, and a missing issuer if the
//! provider always sends it. Does not check: the code itself, which only the provider can judge.

use crate::error::{Error, Refusal};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use portcullis_provider::client_auth::Secret;
use url::form_urlencoded;

/// The parameters of a callback. All others are ignored.
pub(super) struct Callback {
    state: Option<String>,
    code: Option<Secret>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
    uri: Option<String>,
}

const LONGEST: usize = 16 * 1024;

impl Callback {
    pub(super) fn parse(query: &str) -> Result<Self, Error> {
        if query.len() > LONGEST {
            return Err(Error::untrusted_response("the callback is too long"));
        }
        Ok(Self {
            state: parameter(query, "state")?,
            code: parameter(query, "code")?.map(Secret::new),
            issuer: parameter(query, "iss")?,
            error: parameter(query, "error")?,
            description: parameter(query, "error_description")?,
            uri: parameter(query, "error_uri")?,
        })
    }

    /// Whether it belongs to the flow with this state.
    pub(super) fn is_of(&self, state: &Secret) -> bool {
        // In constant time: the loopback port is open to every program on this machine, which could
        // otherwise guess the state byte by byte.
        let found = self.state.as_deref().unwrap_or_default();
        verify_slices_are_equal(found.as_bytes(), state.expose().as_bytes()).is_ok()
    }

    /// The code, if the callback is this provider's and not a refusal.
    pub(super) fn code(self, issuer: &str, names_itself: bool) -> Result<Secret, Error> {
        // The issuer comes first, because a refusal may also be another provider's (RFC 9207,
        // section 2.4). The check stops mix-up attacks: one provider gets another one's code.
        match &self.issuer {
            Some(found) if found == issuer => {}
            Some(_) => {
                return Err(Error::untrusted_response(
                    "the callback is of another provider, by its `iss` (RFC 9207)",
                ));
            }
            None if names_itself => {
                return Err(Error::untrusted_response(
                    "the callback does not say of which provider it is (RFC 9207)",
                ));
            }
            None => {}
        }
        if let Some(error) = &self.error {
            let refusal = Refusal::new(error, self.description.as_deref(), self.uri.as_deref());
            return Err(Error::Refusal(refusal));
        }
        match self.code {
            Some(code) => Ok(code),
            None => Err(Error::untrusted_response(
                "the callback holds neither a `code` nor an `error`",
            )),
        }
    }
}

/// The value of a parameter; `None` if it is missing or empty.
fn parameter(query: &str, name: &str) -> Result<Option<String>, Error> {
    let mut found = None;
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        if key != name {
            continue;
        }
        // RFC 6749, section 3.1, forbids a repeated parameter. An attacker who can append to the
        // query would otherwise decide which of the two counts.
        if found.is_some() {
            return Err(Error::untrusted_response(format!(
                "the callback has `{name}` twice"
            )));
        }
        found = Some(value.into_owned());
    }
    Ok(found.filter(|value| !value.is_empty()))
}

/// The code of a callback, and whether the callback belongs to the flow with this state.
#[cfg(feature = "fuzzing")]
pub(crate) fn read(
    query: &str,
    state: &Secret,
    issuer: &str,
    named: bool,
) -> Result<(Secret, bool), Error> {
    let callback = Callback::parse(query)?;
    let is_of = callback.is_of(state);
    Ok((callback.code(issuer, named)?, is_of))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str, names_itself: bool) -> Result<String, String> {
        let code = Callback::parse(query)
            .and_then(|callback| callback.code("https://idp.example", names_itself));
        code.map(|code| code.expose().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_provider_that_was_asked_may_answer() {
        let named = "code=c&iss=https%3A%2F%2Fidp.example&state=s&session_state=x";
        assert_eq!(
            (code(named, true), code(named, false)),
            (Ok("c".to_owned()), Ok("c".to_owned()))
        );
        assert_eq!(code("code=c", false), Ok("c".to_owned()));
        let other = |query| code(query, true).unwrap_err();
        assert!(other("code=c").contains("does not say of which provider"));
        for query in [
            "code=c&iss=https://other.example",
            "error=access_denied&iss=https://idp.example/",
        ] {
            assert!(other(query).contains("of another provider"), "{query}");
            assert!(code(query, false).is_err());
        }
    }

    #[test]
    fn a_refusal_is_told_and_cannot_steer_a_terminal() {
        let query =
            "error=access_denied&error_description=no%1B%5B2J+thanks&error_uri=javascript:x";
        assert_eq!(
            code(query, false),
            Err("the provider refused: access_denied (no [2J thanks)".to_owned())
        );
    }

    #[test]
    fn what_stands_there_twice_or_not_at_all_is_no_answer() {
        for query in [
            "code=a&code=b",
            "code=a&iss=x&iss=y",
            "state=a&state=b",
            "error=a&error=a",
            "",
            "code=",
            "code",
            "&=&",
        ] {
            assert!(code(query, false).is_err(), "{query}");
        }
        assert!(code(&format!("code={}", "x".repeat(LONGEST)), false).is_err());
    }
}
