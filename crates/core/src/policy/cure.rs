//! How a client can meet a requirement that its token does not meet, and what its next token needs.

use super::requirement::Requirement;
use crate::rejection::StepUp;
use crate::token::{AccessToken, Kind, NumericDate, Scopes};

// In the order of their cost: scopes need no person, a sign-in does.
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
            // The parts that are met already need no cure.
            Self::All(all) => all
                .iter()
                .all(|it| it.is_met_by(token, now) || it.curable_by(means, token, now)),
            Self::Any(any) => any.iter().any(|it| it.curable_by(means, token, now)),
            Self::ValidToken
            | Self::Role(_)
            | Self::Group(_)
            | Self::Kind(_)
            | Self::Claim(..)
            | Self::Audience(_)
            | Self::Bound(_)
            | Self::Rule(_)
            | Self::Not(_) => false,
        }
    }

    /// What a token needs to meet the demand by these means, with what this token has already.
    pub(super) fn needs(&self, means: Means, token: &AccessToken, now: NumericDate) -> Needs {
        let mut builder = NeedsBuilder {
            means,
            token,
            now,
            scopes: Vec::new(),
            step_up: StepUp::default(),
        };
        builder.add(self);
        // If only a scope is missing, ask for nothing more.
        let step_up = match means {
            Means::Scopes => StepUp::default(),
            Means::SigningIn | Means::Both => builder.step_up,
        };
        Needs {
            scopes: builder.scopes.into_iter().collect(),
            step_up,
        }
    }

    /// Whether the token is for another audience than every token must be that meets the demand.
    pub(super) fn lacks_audience(&self, token: &AccessToken, now: NumericDate) -> bool {
        match self {
            Self::Audience(_) => !self.is_met_by(token, now),
            Self::All(all) => all.iter().any(|it| it.lacks_audience(token, now)),
            _ => false,
        }
    }

    /// Whether the token is not bound as every token must be that meets the demand.
    pub(super) fn lacks_binding(&self, token: &AccessToken) -> bool {
        match self.binding() {
            Some(binding) => !binding.is_met_by(token.confirmation().as_ref()),
            None => false,
        }
    }

    /// Whether a role is missing, alone or among other things.
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
            | Self::Audience(_)
            | Self::Bound(_)
            | Self::Rule(_)
            | Self::Not(_) => false,
        }
    }
}

/// Gathers what the next token needs.
struct NeedsBuilder<'q> {
    means: Means,
    token: &'q AccessToken,
    now: NumericDate,
    scopes: Vec<&'q str>,
    step_up: StepUp,
}

impl<'q> NeedsBuilder<'q> {
    /// Adds what a requirement needs: of alternatives, the first that is met, or else the first
    /// that the means would meet.
    fn add(&mut self, requirement: &'q Requirement) {
        match requirement {
            // Two demands may share a scope: a route's and that of its resource.
            Requirement::Scope(scope) if self.scopes.contains(&&**scope) => {}
            Requirement::Scope(scope) => self.scopes.push(scope),
            Requirement::Acr(values) => self.step_up.add_values(values),
            Requirement::MaxAge(age) => self.step_up.add_age(*age),
            Requirement::All(all) => {
                for requirement in all {
                    self.add(requirement);
                }
            }
            Requirement::Any(any) => {
                if let Some(way) = self.choose(any) {
                    self.add(way);
                }
            }
            Requirement::ValidToken
            | Requirement::Role(_)
            | Requirement::Group(_)
            | Requirement::Kind(_)
            | Requirement::Claim(..)
            | Requirement::Audience(_)
            | Requirement::Bound(_)
            | Requirement::Rule(_)
            | Requirement::Not(_) => {}
        }
    }

    /// The alternative to take. One that is met costs the client nothing.
    fn choose(&self, any: &'q [Requirement]) -> Option<&'q Requirement> {
        for requirement in any {
            if requirement.is_met_by(self.token, self.now) {
                return Some(requirement);
            }
        }
        let mut any = any.iter();
        any.find(|it| it.curable_by(self.means, self.token, self.now))
    }
}
