//! What a person should know of a refusal: the next step, where one is known.

use super::challenge::{Challenge, StepUp};
use crate::command::token::Obtained;
use crate::exit::Failure;
use reqwest::{Response, StatusCode};
use std::fmt;

/// The next step.
pub(super) enum Hint {
    /// None is known.
    None,
    /// The token is not taken: why can be explained.
    Explain,
    /// The token is bound to a key, and the API knows no proofs.
    Unbound,
    /// The token is good, and lacks these scopes.
    Scope(String),
    /// The token is good, and this is not allowed with it.
    Policy,
    /// The person has to sign in in another way; what kept that from being done here.
    SignIn {
        step_up: StepUp,
        problem: Option<Failure>,
    },
}

impl Hint {
    /// The next step after an answer to a call with this token.
    pub(super) fn of(answer: &Response, obtained: &Obtained) -> Self {
        Self::after(
            answer.status(),
            &Challenge::all(answer.headers()),
            obtained.is_bound(),
        )
    }

    fn after(status: StatusCode, challenges: &[Challenge], bound: bool) -> Self {
        let takes_bound = challenges.iter().any(|challenge| challenge.is("DPoP"));
        let scope = challenges
            .iter()
            .find(|challenge| challenge.parameter("error") == Some("insufficient_scope"));
        let scope = scope.map(|challenge| {
            challenge
                .parameter("scope")
                .unwrap_or_default()
                .replace('\'', "")
        });
        match (status, scope) {
            (StatusCode::UNAUTHORIZED, _) if bound && !takes_bound => Self::Unbound,
            (StatusCode::UNAUTHORIZED, _) => Self::Explain,
            (StatusCode::FORBIDDEN, Some(scope)) if !scope.is_empty() => Self::Scope(scope),
            (StatusCode::FORBIDDEN, _) => Self::Policy,
            _ => Self::None,
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Explain => f.write_str(": `portcullis token -q | portcullis explain` says why"),
            Self::Unbound => f.write_str(
                ": the API asks for no proof, so it takes no token that is bound to a key; leave \
                    out --dpop",
            ),
            Self::Scope(scope) => {
                write!(
                    f,
                    ": the token is good, and lacks a scope; ask for it with --scope \
                    '{scope}'"
                )
            }
            Self::Policy => {
                f.write_str(": the token is good, and the API does not allow this with it")
            }
            Self::SignIn { step_up, problem } => {
                write!(
                    f,
                    ": the API wants another sign-in; type `portcullis token --grant code{}`",
                    step_up.arguments()
                )?;
                match problem {
                    None => Ok(()),
                    Some(problem) => write!(
                        f,
                        ", as it could not be done here: {}",
                        problem.first_line()
                    ),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

    fn told(status: u16, challenge: &str, bound: bool) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_str(challenge).unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        Hint::after(status, &Challenge::all(&headers), bound).to_string()
    }

    #[test]
    fn the_next_step_is_the_one_that_helps() {
        assert!(told(401, "Bearer error=\"invalid_token\"", false).contains("portcullis explain"));
        assert!(
            told(
                403,
                "Bearer error=\"insufficient_scope\", scope=\"a b\"",
                false
            )
            .ends_with("--scope 'a b'")
        );
        assert!(
            told(403, "Bearer error=\"insufficient_scope\"", false).contains("does not allow this")
        );
        assert_eq!(told(500, "Bearer", true), "");
    }

    #[test]
    fn whoever_is_refused_with_a_bound_token_is_not_sent_in_a_circle() {
        for challenge in [
            "Bearer",
            "Bearer error=\"invalid_token\"",
            "Basic realm=\"x\"",
        ] {
            assert!(
                told(401, challenge, true).ends_with("leave out --dpop"),
                "{challenge}"
            );
        }
        assert!(told(401, "Bearer, DPoP error=\"invalid_token\"", true).contains("explain"));
        assert!(told(401, "Bearer", false).contains("explain"));
    }
}
