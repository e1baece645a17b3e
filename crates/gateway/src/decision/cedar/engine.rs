//! The policy set, ready to be asked, and how its answer is read.
//!
//! Cedar skips a policy that it cannot evaluate. Here the answer is the one that every evaluation
//! of that policy would give, and none if they would differ: a `forbid` that failed may have been
//! one that holds.

use super::facts::{PolicyFacts, SchemaNames, UnknownMembers};
use super::policies::internal;
use super::schema::Vocabulary;
use cedar_policy::{
    ActionConstraint, Authorizer, Decision, Effect, EntityUid, EvaluationError, Policy, PolicySet,
    Response,
};
use portcullis_core::ConfigErrors;
use std::collections::HashMap;
use std::fmt;

/// The policies by action, and what makes entities of a request.
pub(super) struct Engine {
    authorizer: Authorizer,
    pub(super) names: SchemaNames,
    by_action: HashMap<Box<str>, Slice>,
    /// For methods that no policy can name.
    others: Slice,
}

/// The policies that can apply to an action.
struct Slice {
    all: Set,
    /// Without those that name a group.
    without_groups: Set,
    /// Without those that name a group or a role.
    without_members: Set,
}

#[derive(Default)]
struct Set {
    policies: PolicySet,
    left_out: Effects,
}

/// Whether there is a `permit`, or a `forbid`, among some policies.
#[derive(Clone, Copy, Debug, Default)]
struct Effects {
    permit: bool,
    forbid: bool,
}

/// The answer of the policies for an action.
pub(super) struct PolicyAnswer {
    /// `None` if the answer depends on something unknown.
    pub(super) permitted: Option<bool>,
    /// The policies that decided, by name and in order.
    pub(super) determining: Vec<Box<str>>,
    /// The policies that failed for another reason than that groups or the address are unknown.
    pub(super) failed: Vec<(Box<str>, &'static str)>,
}

impl Engine {
    pub(super) fn new(policies: &[Policy], vocabulary: &Vocabulary) -> Result<Self, ConfigErrors> {
        let names = SchemaNames::new(vocabulary)?;
        let mut by_action = HashMap::new();
        for action in &vocabulary.actions {
            let uid = names.action(action);
            let applicable = policies.iter().filter(|it| applies(it, Some(&uid)));
            by_action.insert(action.clone(), Slice::new(applicable, &names)?);
        }
        let applicable = policies.iter().filter(|it| applies(it, None));
        let others = Slice::new(applicable, &names)?;
        Ok(Self {
            authorizer: Authorizer::new(),
            names,
            by_action,
            others,
        })
    }

    /// Asks the policies about an action.
    pub(super) fn evaluate(&self, action: &str, facts: &PolicyFacts) -> PolicyAnswer {
        let slice = self.by_action.get(action).unwrap_or(&self.others);
        let set = match facts.unknown {
            UnknownMembers::Nothing => &slice.all,
            UnknownMembers::Groups => &slice.without_groups,
            UnknownMembers::GroupsAndRoles => &slice.without_members,
        };
        let (request, entities) = (&facts.request, &facts.entities);
        let response = self
            .authorizer
            .is_authorized(request, &set.policies, entities);
        let members_unknown = facts.unknown != UnknownMembers::Nothing;
        read(&response, set, members_unknown, !facts.address_known)
    }
}

/// Whether a policy can apply to an action. There are no groups of actions.
fn applies(policy: &Policy, action: Option<&EntityUid>) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => Some(&uid) == action,
        ActionConstraint::In(uids) => action.is_some_and(|action| uids.contains(action)),
    }
}

impl Slice {
    fn new<'p>(
        policies: impl Iterator<Item = &'p Policy>,
        names: &SchemaNames,
    ) -> Result<Self, ConfigErrors> {
        let policies: Vec<&Policy> = policies.collect();
        // Unknown members would be missing parents, and `principal in Group` would read as false.
        // So policies that name one are left out, and their effects are kept open.
        Ok(Self {
            all: Set::new(&policies, |_| false)?,
            without_groups: Set::new(&policies, |uid| names.is_group(uid))?,
            without_members: Set::new(&policies, |uid| names.is_group(uid) || names.is_role(uid))?,
        })
    }
}

impl Set {
    /// The policies without those that name something to leave out.
    fn new(
        policies: &[&Policy],
        left_out: impl Fn(&EntityUid) -> bool,
    ) -> Result<Self, ConfigErrors> {
        let mut kept = Vec::new();
        let mut effects = Effects::default();
        for policy in policies {
            if policy.entity_literals().iter().any(&left_out) {
                effects.add(policy.effect());
            } else {
                kept.push((*policy).clone());
            }
        }
        Ok(Self {
            policies: PolicySet::from_policies(kept).map_err(internal)?,
            left_out: effects,
        })
    }
}

impl Effects {
    fn add(&mut self, effect: Effect) {
        self.permit |= effect == Effect::Permit;
        self.forbid |= effect == Effect::Forbid;
    }
}

/// The answer on which every evaluation of the open policies would agree.
fn read(
    response: &Response,
    set: &Set,
    members_unknown: bool,
    address_unknown: bool,
) -> PolicyAnswer {
    let mut open = set.left_out;
    let mut failed = Vec::new();
    for error in response.diagnostics().errors() {
        let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
        let effect = set
            .policies
            .policy(error.policy_id())
            .map(Policy::effect);
        // A policy that is not in the set counts as both, which leaves everything open.
        open.permit |= effect != Some(Effect::Forbid);
        open.forbid |= effect != Some(Effect::Permit);
        // The schema makes policies test optional attributes by `has`. So only groups, roles or the
        // address can be missing here.
        let excused = match error.inner() {
            EvaluationError::EntityAttrDoesNotExist(_) => members_unknown,
            EvaluationError::RecordAttrDoesNotExist(_) => address_unknown,
            _ => false,
        };
        if !excused {
            failed.push((error.policy_id().to_string().into(), reason(error.inner())));
        }
    }
    let reasons = response.diagnostics().reason();
    let mut determining: Vec<Box<str>> = reasons.map(|id| id.to_string().into()).collect();
    determining.sort();
    let permitted = match response.decision() {
        // A `forbid` that holds wins over whatever is open.
        Decision::Deny if !determining.is_empty() => Some(false),
        Decision::Allow => (!open.forbid).then_some(true),
        Decision::Deny => (!open.permit).then_some(false),
    };
    PolicyAnswer {
        permitted,
        determining,
        failed,
    }
}

/// Why a policy failed. Cedar's own words would put values of the token into the log.
const fn reason(error: &EvaluationError) -> &'static str {
    match error {
        EvaluationError::EntityDoesNotExist(_) => "an entity is not there",
        EvaluationError::EntityAttrDoesNotExist(_) | EvaluationError::RecordAttrDoesNotExist(_) => {
            "an attribute is not there"
        }
        EvaluationError::TypeError(_) => "a value has another type",
        EvaluationError::IntegerOverflow(_) => "a number overflows",
        EvaluationError::FailedExtensionFunctionExecution(_) => {
            "a function does not take its argument"
        }
        EvaluationError::RecursionLimit(_) => "it is nested too deeply",
        _ => "it cannot be evaluated",
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policies for {} actions", self.by_action.len())
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
