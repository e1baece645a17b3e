//! What a client can do about a requirement that its token does not meet, and what its next token
//! needs.

use super::Requirement;
use crate::rejection::StepUp;
use crate::token::{AccessToken, Kind, NumericDate, Scopes};

/// How a client gets another token that meets more than the one it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// It asks for more scopes (RFC 6750, section 3.1).
    Scopes,
    /// It has the user sign in again (RFC 9470, section 4).
    SigningIn,
    /// It does both with one request.
    Both,
}

/// What the next token needs.
#[derive(Debug, Default)]
pub(super) struct Needs {
    pub(super) scopes: Scopes,
    pub(super) step_up: StepUp,
}

impl Requirement {
    /// Whether these means alone could meet the demand. An application cannot sign in again.
    pub(super) fn curable_by(&self, means: Means, token: &AccessToken, now: NumericDate) -> bool {
        match self {
            Self::Scope(_) => means != Means::SigningIn,
            Self::Acr(_) | Self::MaxAge(_) => {
                means != Means::Scopes && token.identity().kind() == Kind::User
            }
            Self::All(all) => all
                .iter()
                .all(|it| it.is_met_by(token, now) || it.curable_by(means, token, now)),
            Self::Any(any) => any.iter().any(|it| it.curable_by(means, token, now)),
            Self::ValidToken
            | Self::Role(_)
            | Self::Group(_)
            | Self::Kind(_)
            | Self::Claim(..)
            | Self::Rule(_)
            | Self::Not(_) => false,
        }
    }

    /// What is on the way to meeting the demand by these means, what the token has already too.
    pub(super) fn needs(&self, means: Means, token: &AccessToken, now: NumericDate) -> Needs {
        let mut found = Found {
            means,
            token,
            now,
            scopes: Vec::new(),
            step_up: StepUp::default(),
        };
        found.add(self);
        // Who lacks a scope alone is told of nothing else.
        let step_up = if means == Means::Scopes {
            StepUp::default()
        } else {
            found.step_up
        };
        Needs {
            scopes: found.scopes.into_iter().collect(),
            step_up,
        }
    }

    /// Whether a role is what is missing, or one of the things.
    pub(super) fn lacks_role(&self, token: &AccessToken) -> bool {
        match self {
            Self::Role(role) => !token.has_role(role),
            Self::All(all) | Self::Any(all) => all.iter().any(|it| it.lacks_role(token)),
            Self::ValidToken
            | Self::Scope(_)
            | Self::Group(_)
            | Self::Kind(_)
            | Self::Claim(..)
            | Self::Acr(_)
            | Self::MaxAge(_)
            | Self::Rule(_)
            | Self::Not(_) => false,
        }
    }
}

struct Found<'q> {
    means: Means,
    token: &'q AccessToken,
    now: NumericDate,
    scopes: Vec<&'q str>,
    step_up: StepUp,
}

impl<'q> Found<'q> {
    /// Of alternatives, those of the first that is met, or else that the means would meet.
    fn add(&mut self, requirement: &'q Requirement) {
        match requirement {
            Requirement::Scope(scope) => self.scopes.push(scope),
            Requirement::Acr(values) => self.step_up.add_values(values),
            Requirement::MaxAge(age) => self.step_up.add_age(*age),
            Requirement::All(all) => all.iter().for_each(|requirement| self.add(requirement)),
            Requirement::Any(any) => {
                let met = any.iter().find(|it| it.is_met_by(self.token, self.now));
                let curable = || {
                    any.iter()
                        .find(|it| it.curable_by(self.means, self.token, self.now))
                };
                if let Some(way) = met.or_else(curable) {
                    self.add(way);
                }
            }
            Requirement::ValidToken
            | Requirement::Role(_)
            | Requirement::Group(_)
            | Requirement::Kind(_)
            | Requirement::Claim(..)
            | Requirement::Rule(_)
            | Requirement::Not(_) => {}
        }
    }
}
