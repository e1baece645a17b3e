//! The policy set, ready to be asked, and how its answer is read.
//!
//! Cedar passes over a policy that it cannot evaluate. Here the answer is what every evaluation of
//! that policy would agree on, and nobody's where they would not: a `forbid` that failed may have
//! been one that holds.

use super::PolicyInput;
use super::facts::{Facts, Names, Unknown};
use super::policies::{self, internal};
use super::question::BoundRequirement;
use super::schema::Vocabulary;
use crate::config::CedarConfig;
use cedar_policy::{
    ActionConstraint, Authorizer, Decision, Effect, EntityUid, EvaluationError, Policy, PolicySet,
    Response,
};
use portcullis_core::{ConfigErrors, Requirement};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The policies of the settings; none, if they name none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies(Option<Arc<Engine>>);

impl Policies {
    /// Reads and checks the policies that the settings name.
    pub(crate) fn read(
        config: &CedarConfig,
        vocabulary: &Vocabulary,
    ) -> Result<Self, ConfigErrors> {
        let policies = policies::read(config, vocabulary)?;
        Ok(Self(Some(Arc::new(Engine::new(&policies, vocabulary)?))))
    }

    pub(super) fn bind_input(
        &self,
        requirement: &Requirement,
        input: PolicyInput<'_>,
    ) -> Option<BoundRequirement> {
        let engine = self.0.as_ref()?;
        Some(BoundRequirement::new(engine, requirement, input))
    }
}

/// The policies by action, and what makes entities of a request.
pub(super) struct Engine {
    authorizer: Authorizer,
    pub(super) names: Names,
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

/// What the policies say.
pub(super) struct Judgement {
    /// `None`: nobody can tell.
    pub(super) permitted: Option<bool>,
    /// The policies that decided, by name and in order.
    pub(super) determining: Vec<Box<str>>,
    /// The policies that failed for another reason than that groups or the address are unknown.
    pub(super) failed: Vec<(Box<str>, &'static str)>,
}

impl Engine {
    fn new(policies: &[Policy], vocabulary: &Vocabulary) -> Result<Self, ConfigErrors> {
        let names = Names::new(vocabulary)?;
        let mut by_action = HashMap::new();
        for action in &vocabulary.actions {
            let uid = names.action(action);
            let slice = Slice::new(
                policies.iter().filter(|policy| applies(policy, Some(&uid))),
                &names,
            )?;
            by_action.insert(action.clone(), slice);
        }
        let others = Slice::new(
            policies.iter().filter(|policy| applies(policy, None)),
            &names,
        )?;
        Ok(Self {
            authorizer: Authorizer::new(),
            names,
            by_action,
            others,
        })
    }

    /// Asks the policies about an action.
    pub(super) fn judge(&self, action: &str, facts: &Facts) -> Judgement {
        let slice = self.by_action.get(action).unwrap_or(&self.others);
        let set = match facts.unknown {
            Unknown::Nothing => &slice.all,
            Unknown::Groups => &slice.without_groups,
            Unknown::GroupsAndRoles => &slice.without_members,
        };
        let response =
            self.authorizer
                .is_authorized(&facts.request, &set.policies, &facts.entities);
        read(
            &response,
            set,
            facts.unknown != Unknown::Nothing,
            !facts.address_known,
        )
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
        names: &Names,
    ) -> Result<Self, ConfigErrors> {
        let policies: Vec<&Policy> = policies.collect();
        let set = |left_out: &dyn Fn(&EntityUid) -> bool| -> Result<Set, ConfigErrors> {
            let (out, kept): (Vec<&Policy>, Vec<&Policy>) = policies
                .iter()
                .partition(|policy| policy.entity_literals().iter().any(left_out));
            let policies = PolicySet::from_policies(kept.into_iter().cloned()).map_err(internal)?;
            Ok(Set {
                policies,
                left_out: Effects::of(out.into_iter().map(Policy::effect)),
            })
        };
        Ok(Self {
            all: set(&|_| false)?,
            without_groups: set(&|uid| names.is_group(uid))?,
            without_members: set(&|uid| names.is_group(uid) || names.is_role(uid))?,
        })
    }
}

impl Effects {
    fn of(effects: impl Iterator<Item = Effect>) -> Self {
        effects.fold(Self::default(), |found, effect| Self {
            permit: found.permit || effect == Effect::Permit,
            forbid: found.forbid || effect == Effect::Forbid,
        })
    }
}

/// What every evaluation of the policies that are left open would agree on.
fn read(response: &Response, set: &Set, groups_unknown: bool, address_unknown: bool) -> Judgement {
    let mut open = set.left_out;
    let mut failed = Vec::new();
    for error in response.diagnostics().errors() {
        let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
        let effect = set.policies.policy(error.policy_id()).map(Policy::effect);
        // One that is not in the set is neither: it counts as both.
        open.permit |= effect != Some(Effect::Forbid);
        open.forbid |= effect != Some(Effect::Permit);
        // Attributes that may be missing are asked for by `has`, or the policy would not have been
        // taken. What is missing otherwise is the groups, or the roles, or the address.
        let excused = match error.inner() {
            EvaluationError::EntityAttrDoesNotExist(_) => groups_unknown,
            EvaluationError::RecordAttrDoesNotExist(_) => address_unknown,
            _ => false,
        };
        if !excused {
            failed.push((error.policy_id().to_string().into(), reason(error.inner())));
        }
    }
    let mut determining: Vec<Box<str>> = response
        .diagnostics()
        .reason()
        .map(|id| id.to_string().into())
        .collect();
    determining.sort();
    let permitted = match response.decision() {
        Decision::Deny if !determining.is_empty() => Some(false),
        Decision::Allow => (!open.forbid).then_some(true),
        Decision::Deny => (!open.permit).then_some(false),
    };
    Judgement {
        permitted,
        determining,
        failed,
    }
}

/// Why a policy failed. Cedar's own words hold values of the token.
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
