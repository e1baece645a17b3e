//! What a refusal by policy names: what was demanded, and what the token has of that kind.

use super::requirement::Requirement;
use crate::proof::Binding;
use crate::rejection::{Entitlements, Names, Shortfall};
use crate::token::{AccessToken, Membership, NumericDate};

/// Compares a requirement with a token that does not meet it.
pub(super) fn shortfall(
    requirement: &Requirement,
    token: &AccessToken,
    now: NumericDate,
) -> Shortfall {
    let mut required = Entitlements::default();
    add_requirement(&mut required, requirement, "");
    let present = entitlements(token, &required, now);
    Shortfall { required, present }
}

/// Adds what a requirement names; `mark` is put before each name.
fn add_requirement(named: &mut Entitlements, requirement: &Requirement, mark: &str) {
    match requirement {
        Requirement::Scope(scope) => add(&mut named.scopes, mark, scope),
        Requirement::Role(role) => add(&mut named.roles, mark, role),
        Requirement::Group(group) => add(&mut named.groups, mark, group),
        Requirement::Kind(kind) => add(&mut named.kind, mark, kind.name()),
        Requirement::Claim(path, _) => add(&mut named.claims, mark, &path.to_string()),
        Requirement::Acr(values) => {
            for value in values {
                add(&mut named.acr, mark, value);
            }
        }
        Requirement::MaxAge(age) => named.sign_in_age = Some(age.as_secs()),
        Requirement::All(several) | Requirement::Any(several) => {
            for requirement in several {
                add_requirement(named, requirement, mark);
            }
        }
        Requirement::Not(requirement) => {
            let mark = if mark.is_empty() { "not " } else { "" };
            add_requirement(named, requirement, mark);
        }
        Requirement::Audience(names) => {
            for name in names {
                add(&mut named.audience, mark, name);
            }
        }
        Requirement::Bound(binding) => add(&mut named.bound, mark, binding.name()),
        // A rule names itself in the facts.
        Requirement::ValidToken | Requirement::Rule(_) => {}
    }
}

fn add(names: &mut Option<Names>, mark: &str, name: &str) {
    names.get_or_insert_default().push(mark, name);
}

/// How a token is bound.
fn bindings(token: &AccessToken) -> Names {
    let ways = [Binding::Dpop, Binding::Mtls].into_iter();
    let confirmation = token.confirmation();
    let met = ways.filter(|way| way.is_met_by(confirmation.as_ref()));
    Names::of(met.map(Binding::name))
}

/// What a token has of the kinds that are demanded.
fn entitlements(token: &AccessToken, required: &Entitlements, now: NumericDate) -> Entitlements {
    let identity = token.identity();
    let if_named = |named: &Option<Names>, names: Names| named.is_some().then_some(names);
    let acr = match token.acr() {
        Some(values) => Names::of(values),
        None => Names::default(),
    };
    let signed_in = token
        .auth_time()
        .filter(|_| required.sign_in_age.is_some());
    Entitlements {
        scopes: if_named(&required.scopes, Names::of(identity.scopes().iter())),
        roles: if_named(&required.roles, members(identity.roles())),
        groups: if_named(&required.groups, members(identity.groups())),
        kind: if_named(
            &required.kind,
            Names::of([identity.kind().name()].into_iter()),
        ),
        acr: if_named(&required.acr, acr),
        audience: if_named(&required.audience, Names::of(token.claims().audiences())),
        bound: if_named(&required.bound, bindings(token)),
        claims: None,
        sign_in_age: signed_in.and_then(|moment| u64::try_from(now.since(moment)).ok()),
    }
}

fn members(membership: &Membership) -> Names {
    match membership {
        Membership::Unknown => Names::unknown(),
        Membership::Known(_) => Names::of(membership.iter()),
    }
}

#[cfg(test)]
#[path = "shortfall_tests.rs"]
mod tests;
