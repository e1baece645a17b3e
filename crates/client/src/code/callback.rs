//! What the browser brings back (RFC 6749, section 4.1.2; RFC 9207).
//!
//! Refuses: more than 16 KiB, a parameter that stands there twice, another issuer's name, and none
//! where the provider always says it. Does not check: whether the code is any good, which the
//! provider knows.

use crate::error::{Error, Refusal};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use portcullis_provider::client_auth::Secret;
use url::form_urlencoded;

/// The parameters of a callback. Others than these do not matter.
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
        let once = |name: &str| {
            let mut values =
                form_urlencoded::parse(query.as_bytes()).filter(|(held, _)| held == name);
            match (values.next(), values.next()) {
                (Some(_), Some(_)) => Err(Error::untrusted_response(format!(
                    "the callback has `{name}` twice"
                ))),
                (value, _) => Ok(value
                    .map(|(_, value)| value.into_owned())
                    .filter(|value| !value.is_empty())),
            }
        };
        Ok(Self {
            state: once("state")?,
            code: once("code")?.map(Secret::new),
            issuer: once("iss")?,
            error: once("error")?,
            description: once("error_description")?,
            uri: once("error_uri")?,
        })
    }

    /// Whether it belongs to the flow with this state.
    pub(super) fn is_of(&self, state: &Secret) -> bool {
        let held = self.state.as_deref().unwrap_or_default();
        verify_slices_are_equal(held.as_bytes(), state.expose().as_bytes()).is_ok()
    }

    /// The code, if this is the provider's answer, and a good one. Who speaks is judged first: also
    /// a refusal may be another provider's (RFC 9207, section 2.4).
    pub(super) fn code(self, issuer: &str, names_itself: bool) -> Result<Secret, Error> {
        match &self.issuer {
            Some(named) if named == issuer => {}
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
            return Err(Error::Refusal(Refusal::new(
                error,
                self.description.as_deref(),
                self.uri.as_deref(),
            )));
        }
        self.code.ok_or_else(|| {
            Error::untrusted_response("the callback holds neither a `code` nor an `error`")
        })
    }
}

/// The code of a callback, and whether it is of the flow with this state.
#[cfg(feature = "fuzzing")]
pub(crate) fn read(
    query: &str,
    state: &Secret,
    issuer: &str,
    named: bool,
) -> Result<(Secret, bool), Error> {
    let callback = Callback::parse(query)?;
    let is_of = callback.is_of(state);
    callback.code(issuer, named).map(|code| (code, is_of))
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
