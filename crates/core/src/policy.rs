//! What a route demands of a valid token, and the permit for a token that meets it.
//!
//! A refusal says who can cure it. The client can get a token with more scopes (403, RFC 6750), or
//! have the user sign in again (401, RFC 9470); everything else is up to somebody else. This module
//! does not check the token.
//!
//! ```
//! use portcullis_core::Requirement;
//! use std::time::Duration;
//!
//! let editor = Requirement::all([
//!     Requirement::user(),
//!     Requirement::scope("orders:write"),
//!     Requirement::any([
//!         Requirement::role("Admin"),
//!         Requirement::claim("department", "sales"),
//!     ]),
//!     Requirement::not(Requirement::group("suspended")),
//! ]);
//! let payer = Requirement::all([
//!     Requirement::acr(["phr", "mfa"]),
//!     Requirement::max_age(Duration::from_secs(900)),
//! ]);
//! assert_eq!(
//!     editor.to_string(),
//!     "(a token for a user and scope `orders:write` and (role `Admin` or the configured value of \
//!      claim `department`) and not group `suspended`)"
//! );
//! assert_eq!(
//!     payer.to_string(),
//!     "(acr `phr` or `mfa` and a sign-in no longer than 900 s ago)"
//! );
//! ```

mod cure;
mod explain;
mod implication;
mod open;
mod requirement;
mod rule;
mod scopes;
mod shortfall;

pub use explain::DemandStep;
pub use requirement::Requirement;
pub use rule::{Rule, Ruling};

use crate::denial::Denial;
use crate::rejection::{Code, Facts, RefusedCaller, Rejection, Shortfall};
use crate::token::{AccessToken, NumericDate};
use cure::Means;

/// Proof that a request may go on. Only [`permit`] makes one.
#[derive(Clone, Debug)]
pub struct Permit {
    token: AccessToken,
}

impl Permit {
    /// The token of the permitted caller.
    pub fn token(&self) -> &AccessToken {
        &self.token
    }

    /// The token of the permitted caller.
    pub fn into_token(self) -> AccessToken {
        self.token
    }
}

/// Permits a request whose token meets the requirement now.
///
/// # Errors
///
/// - `policy.groups_unknown` if the verdict depends on groups that did not fit into the token;
/// - `token.audience` if the token is for another audience;
/// - `proof.unbound` if the token is not bound as it must be;
/// - `policy.scope` if more scopes would be enough;
/// - `policy.step_up` if a new sign-in would be enough, with more scopes or without;
/// - `policy.role` if a role is missing; `policy.denied` in all other cases;
/// - the outage of a rule that the verdict depends on.
pub fn permit(
    token: AccessToken,
    requirement: &Requirement,
    now: NumericDate,
) -> Result<Permit, Denial> {
    match requirement.verdict(&token, now) {
        Some(true) => return Ok(Permit { token }),
        Some(false) => {}
        None => {
            // Our own failure is no refusal: the caller may well be allowed.
            if let Some(outage) = requirement.failure(&token, now) {
                return Err(outage.into());
            }
            // "Lacks a role" would be a guess, and would send people to the wrong cure.
            if requirement.hangs_on_groups(&token, now) {
                let facts = Facts::new(
                    requirement.to_string(),
                    "more groups than fit into the token",
                );
                let shortfall = shortfall::shortfall(requirement, &token, now);
                let rejection = Rejection::with(Code::PolicyGroupsUnknown, facts);
                return Err(rejection.with_caller(caller(&token, shortfall)).into());
            }
        }
    }
    let shortfall = shortfall::shortfall(requirement, &token, now);
    let facts = Facts::new(requirement.to_string(), found(&shortfall));
    let rejection = refusal(&token, requirement, now, facts);
    Err(rejection.with_caller(caller(&token, shortfall)).into())
}

/// Why a token that does not meet the requirement is refused.
fn refusal(
    token: &AccessToken,
    requirement: &Requirement,
    now: NumericDate,
    facts: Facts,
) -> Rejection {
    // A token for another resource is no token here, whatever else it has.
    if requirement.lacks_audience(token, now) {
        return Rejection::with(Code::TokenAudience, facts);
    }
    // Without it, no scope and no sign-in helps.
    if requirement.lacks_binding(token) {
        return Rejection::with(Code::ProofUnbound, facts);
    }
    // The cheapest cure comes first: scopes need no person.
    for (means, code) in [
        (Means::Scopes, Code::PolicyScope),
        (Means::SigningIn, Code::PolicyStepUp),
        (Means::Both, Code::PolicyStepUp),
    ] {
        if requirement.curable_by(means, token, now) {
            let needs = requirement.needs(means, token, now);
            return Rejection::with(code, facts)
                .needing(needs.scopes)
                .stepping_up(needs.step_up);
        }
    }
    let code = if requirement.lacks_role(token) {
        Code::PolicyRole
    } else {
        Code::PolicyDenied
    };
    Rejection::with(code, facts)
}

fn caller(token: &AccessToken, shortfall: Shortfall) -> RefusedCaller {
    RefusedCaller {
        shortfall: Some(shortfall),
        ..RefusedCaller::from(token)
    }
}

/// What the token has instead, as far as that is a matter of names.
fn found(shortfall: &Shortfall) -> String {
    match &shortfall.present {
        present if present.is_empty() => "a token that does not meet it".to_owned(),
        present => present.to_string(),
    }
}

#[cfg(test)]
mod tests;
