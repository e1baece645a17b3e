//! The next step after an API refused a request, if one is known.

use super::challenge::{ApiChallenge, SignInDemand};
use crate::command::token::ObtainedToken;
use crate::exit::CommandError;
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
    /// The token is valid, and lacks these scopes.
    Scope(String),
    /// The token is valid, and does not permit this request.
    Policy,
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
            StatusCode::UNAUTHORIZED => Self::Explain,
            StatusCode::FORBIDDEN => match missing_scope(challenges) {
                Some(scope) if !scope.is_empty() => Self::Scope(scope),
                _ => Self::Policy,
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

/// The help, as a sentence; empty if no next step is known.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Explain => f.write_str("`portcullis token -q | portcullis explain` shows why"),
            Self::Unbound => f.write_str(
                "the API accepts no token that is bound to a key; request one without --dpop",
            ),
            Self::Scope(scope) => write!(
                f,
                "the token is valid, and lacks a scope; request it with --scope '{scope}'"
            ),
            Self::Policy => f.write_str("the token is valid, and does not permit this request"),
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
        assert!(
            hint(403, "Bearer error=\"insufficient_scope\"", false)
                .contains("does not permit this")
        );
        assert_eq!(hint(500, "Bearer", true), "");
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
