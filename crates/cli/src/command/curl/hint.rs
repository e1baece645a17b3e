//! The next step after an API refused a request, if one is known.

use super::challenge::{ApiChallenge, SignInDemand};
use crate::command::token::ObtainedToken;
use crate::exit::CommandError;
use portcullis_core::Code;
use reqwest::{Response, StatusCode};
use std::fmt;

/// The next step.
pub(super) enum Hint {
    /// None is known.
    None,
    /// The token was refused; `explain` shows why.
    Explain,
    /// The token is bound to a key, and the API accepts no proofs.
    Unbound,
    /// The API demands a token that is bound to a key, and this one is not.
    Bound,
    /// The token is valid, and lacks these scopes.
    Scope(String),
    /// The API says by a phrase of ours why it refuses, and who can cure that.
    Cure(Code),
    /// The API refuses the request, and does not say that the token is the reason.
    Unsaid,
    /// The person has to sign in in another way.
    SignIn {
        demand: SignInDemand,
        /// Why that could not be done here.
        problem: Option<CommandError>,
    },
}

impl Hint {
    /// The next step after this response to a request with this token.
    pub(super) fn of(response: &Response, obtained: &ObtainedToken) -> Self {
        let challenges = ApiChallenge::all(response.headers());
        Self::after(response.status(), &challenges, obtained.is_bound())
    }

    fn after(status: StatusCode, challenges: &[ApiChallenge], bound: bool) -> Self {
        match status {
            // RFC 9449, section 7.1: an API that takes bound tokens says so by its scheme.
            StatusCode::UNAUTHORIZED if bound && !accepts_proofs(challenges) => Self::Unbound,
            StatusCode::UNAUTHORIZED if known_code(challenges) == Some(Code::ProofUnbound) => {
                Self::Bound
            }
            StatusCode::UNAUTHORIZED => Self::Explain,
            StatusCode::FORBIDDEN => match (missing_scope(challenges), known_code(challenges)) {
                // A scope can be requested at once; the other reasons need somebody else.
                (Some(scope), _) if !scope.is_empty() => Self::Scope(scope),
                (_, Some(code)) => Self::Cure(code),
                _ => Self::Unsaid,
            },
            _ => Self::None,
        }
    }
}

fn accepts_proofs(challenges: &[ApiChallenge]) -> bool {
    challenges.iter().any(|challenge| challenge.is("DPoP"))
}

/// The scope that the API names as missing (RFC 6750, section 3.1).
fn missing_scope(challenges: &[ApiChallenge]) -> Option<String> {
    for challenge in challenges {
        if challenge.parameter("error") == Some("insufficient_scope") {
            let scope = challenge.parameter("scope").unwrap_or_default();
            // It is shown between single quotes, for pasting into a shell.
            return Some(scope.replace('\'', ""));
        }
    }
    None
}

/// The code whose phrase an API gives as the reason: another gateway of ours says it so.
fn known_code(challenges: &[ApiChallenge]) -> Option<Code> {
    for challenge in challenges {
        // Compared as a whole: the text is the API's own, and is not printed unless it is ours.
        if let Some(phrase) = challenge.parameter("error_description") {
            let mut codes = Code::ALL.iter();
            if let Some(code) = codes.find(|code| code.entry().phrase == phrase) {
                return Some(*code);
            }
        }
    }
    None
}

/// The help, as a sentence; empty if no next step is known.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Explain => f.write_str("`portcullis token -q | portcullis explain` shows why"),
            Self::Unbound => f.write_str(
                "the API accepts no token that is bound to a key; request one without --dpop",
            ),
            Self::Bound => f.write_str(
                "the API demands a token that is bound to a key; request one with --dpop",
            ),
            Self::Scope(scope) => write!(
                f,
                "the token is valid, and lacks a scope; request it with --scope '{scope}'"
            ),
            Self::Cure(code) => {
                let entry = code.entry();
                let (phrase, cure, party) = (entry.phrase, entry.cure, code.party());
                write!(f, "{phrase}; {cure} ({party} can do it)")
            }
            Self::Unsaid => f.write_str(
                "the API does not say why; it need not be the token. For an API behind Portcullis, \
                    `portcullis explain --config FILE --request` shows what the route demands",
            ),
            Self::SignIn { demand, problem } => {
                let arguments = demand.arguments();
                write!(f, "sign in with `portcullis token --grant code{arguments}`")?;
                match problem {
                    None => Ok(()),
                    Some(problem) => write!(f, "; not done here: {}", problem.first_line()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

    fn hint(status: u16, challenge: &str, bound: bool) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_str(challenge).unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        Hint::after(status, &ApiChallenge::all(&headers), bound).to_string()
    }

    #[test]
    fn the_next_step_is_the_one_that_helps() {
        assert!(hint(401, "Bearer error=\"invalid_token\"", false).contains("portcullis explain"));
        assert!(
            hint(
                403,
                "Bearer error=\"insufficient_scope\", scope=\"a b\"",
                false
            )
            .ends_with("--scope 'a b'")
        );
        let role =
            "Bearer error=\"insufficient_scope\", error_description=\"the caller lacks a role\"";
        assert_eq!(
            hint(403, role, false),
            "the caller lacks a role; have the role given to the user or client at the issuer (the \
             administrator of the identity provider can do it)"
        );
        // Nothing is claimed about a token that the API does not speak of.
        for challenge in ["Bearer", "Basic", "Bearer error=\"insufficient_scope\""] {
            let hint = hint(403, challenge, false);
            assert!(hint.starts_with("the API does not say why"), "{hint}");
        }
        assert_eq!(hint(500, "Bearer", true), "");
    }

    #[test]
    fn an_api_that_demands_a_bound_token_gets_one() {
        let phrase = Code::ProofUnbound.entry().phrase;
        let challenge = format!("DPoP error=\"invalid_token\", error_description=\"{phrase}\"");
        assert!(hint(401, &challenge, false).ends_with("request one with --dpop"));
    }

    #[test]
    fn the_help_for_a_bound_token_does_not_lead_in_a_circle() {
        for challenge in [
            "Bearer",
            "Bearer error=\"invalid_token\"",
            "Basic realm=\"x\"",
        ] {
            assert!(
                hint(401, challenge, true).ends_with("without --dpop"),
                "{challenge}"
            );
        }
        assert!(hint(401, "Bearer, DPoP error=\"invalid_token\"", true).contains("explain"));
        assert!(hint(401, "Bearer", false).contains("explain"));
    }
}
