//! From a refusal to the answer: the status, `WWW-Authenticate` and the problem document.
//!
//! All of it comes from the [catalog](crate::rejection): nothing from a token, and no facts.
//!
//! ```
//! use portcullis_core::Rejection;
//! use portcullis_core::challenge::{Problem, challenge};
//!
//! let rejection = Rejection::of_unknown_key(Some("key-7"));
//! let challenge = challenge(&rejection, "orders");
//! assert_eq!(challenge.status, 401);
//! assert_eq!(
//!     challenge.www_authenticate,
//!     "Bearer realm=\"orders\", error=\"invalid_token\", \
//!      error_description=\"the access token is signed with an unknown key\""
//! );
//! let problem = Problem::of_rejection(&rejection, "request-1");
//! assert_eq!((problem.status, problem.code), (401, "token.key_unknown"));
//! ```

use crate::outage::Outage;
use crate::rejection::{Rejection, StepUp};
use serde::Serialize;

/// The answer to a refused request (RFC 6750, section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// The HTTP status: 400, 401 or 403.
    pub status: u16,
    /// The value of `WWW-Authenticate`.
    pub www_authenticate: String,
}

/// Challenges the caller. The `realm` and the `acr_values` are the operator's; characters that need
/// an escape are left out of them.
pub fn challenge(rejection: &Rejection, realm: &str) -> Challenge {
    let entry = rejection.code().entry();
    // The parameters that carry operators' texts are cut to what needs no escape: a quote in one of
    // them must not start another parameter.
    let mut value = format!("Bearer realm=\"{}\"", plain(realm));
    if let Some(error) = entry.error {
        value.push_str(&format!(
            ", error=\"{error}\", error_description=\"{}\"",
            entry.phrase
        ));
    }
    if let Some(scopes) = rejection.scopes() {
        value.push_str(&format!(", scope=\"{}\"", plain(&scopes.to_string())));
    }
    if let Some(step_up) = rejection.step_up() {
        add_step_up(&mut value, step_up);
    }
    Challenge {
        status: entry.status,
        www_authenticate: value,
    }
}

/// The parameters of RFC 9470, section 3.
fn add_step_up(value: &mut String, step_up: &StepUp) {
    let acr_values: Vec<&str> = step_up.acr_values().collect();
    if !acr_values.is_empty() {
        value.push_str(&format!(
            ", acr_values=\"{}\"",
            plain(&acr_values.join(" "))
        ));
    }
    if let Some(age) = step_up.max_age() {
        value.push_str(&format!(", max_age=\"{}\"", age.as_secs()));
    }
}

/// The characters of a text that need no escape between quotes.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, ' '..='~') && !matches!(character, '"' | '\\') {
            plain.push(character);
        }
    }
    plain
}

/// A problem document (RFC 9457): the body of every refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem<'r> {
    /// A URN with the code: it names the kind of problem and leads nowhere.
    #[serde(rename = "type")]
    pub kind: String,
    /// The reason phrase of the status.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The fixed phrase of the code.
    pub detail: &'static str,
    /// The stable code.
    pub code: &'static str,
    /// The name of this request in the operator's log.
    pub request_id: &'r str,
}

impl<'r> Problem<'r> {
    /// The document for a refusal.
    pub fn of_rejection(rejection: &Rejection, request_id: &'r str) -> Self {
        let entry = rejection.code().entry();
        Self::new(entry.code, entry.status, entry.phrase, request_id)
    }

    /// The document for an outage.
    pub fn of_outage(outage: &Outage, request_id: &'r str) -> Self {
        Self::new(
            outage.code().as_str(),
            503,
            outage.code().phrase(),
            request_id,
        )
    }

    fn new(code: &'static str, status: u16, detail: &'static str, request_id: &'r str) -> Self {
        let title = match status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            _ => "Service Unavailable",
        };
        Self {
            kind: format!("urn:portcullis:{code}"),
            title,
            status,
            detail,
            code,
            request_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::{Code, Facts};
    use crate::{Decision, Denial, OutageCode};
    use std::time::Duration;

    #[test]
    fn every_code_has_its_challenge_and_echoes_no_facts() {
        for code in Code::ALL {
            let rejection = Rejection::with(*code, Facts::new("SECRET", "SECRET"));
            let Challenge {
                status,
                www_authenticate,
            } = challenge(&rejection, "a\"p\\i\n");
            assert!(
                www_authenticate.starts_with("Bearer realm=\"api\""),
                "{www_authenticate}"
            );
            assert!(!www_authenticate.contains("SECRET"));
            assert_eq!(
                www_authenticate.contains("error="),
                code.entry().error.is_some()
            );
            let body = serde_json::to_string(&Problem::of_rejection(&rejection, "r-1")).unwrap();
            assert!(
                !body.contains("SECRET") && body.contains(code.as_str()),
                "{body}"
            );
            assert_eq!(status, code.entry().status);
        }
    }

    /// A client throws a good token away on a 401, so an outage is none; and whatever the code,
    /// nobody gets in.
    #[test]
    fn no_code_is_ever_an_allow_and_no_outage_a_401() {
        for code in OutageCode::ALL {
            let outage = Outage::new(*code, "SECRET", Duration::ZERO);
            let problem = Problem::of_outage(&outage, "r-1");
            assert_eq!(
                (problem.status, problem.title),
                (503, "Service Unavailable"),
                "{code}"
            );
            let body = serde_json::to_string(&problem).unwrap();
            assert!(
                !body.contains("SECRET") && body.contains(code.as_str()),
                "{body}"
            );
            let decision = Decision::from(Err(Denial::from(outage.clone())));
            assert!(
                matches!(&decision, Decision::Fail(kept) if *kept == outage),
                "{code}"
            );
            assert_eq!(
                decision.into_result().err(),
                Some(Denial::Outage(outage)),
                "{code}"
            );
        }
        for code in Code::ALL {
            let rejection = Rejection::new(*code);
            let decision = Decision::from(Err(Denial::from(rejection.clone())));
            assert!(
                matches!(&decision, Decision::Deny(kept) if *kept == rejection),
                "{code}"
            );
            assert_eq!(
                decision.into_result().err(),
                Some(Denial::Rejection(rejection)),
                "{code}"
            );
        }
    }

    #[test]
    fn missing_scopes_are_named() {
        let rejection =
            Rejection::new(Code::PolicyScope).needing(["a:b", "c"].into_iter().collect());
        let expected = "Bearer realm=\"api\", error=\"insufficient_scope\", \
                        error_description=\"the access token lacks a scope\", scope=\"a:b c\"";
        assert_eq!(challenge(&rejection, "api").www_authenticate, expected);
    }

    #[test]
    fn characters_that_would_need_an_escape_are_left_out() {
        let rejection = Rejection::new(Code::PolicyScope)
            .needing(["a\"b\\c\u{e9}\u{1}", "d"].into_iter().collect());
        let value = challenge(&rejection, "r\"e\\a\u{7f}l").www_authenticate;
        assert!(
            value.starts_with("Bearer realm=\"real\", ") && value.ends_with("scope=\"d\""),
            "{value}"
        );
    }
}
