//! The policies of the settings, and a requirement that has them answer about one request.

use super::engine::{Engine, PolicyAnswer};
use super::facts::{OtherType, context};
use super::input::{Demand, PolicyInput, PolicyReport, action_of, outage};
use super::policies;
use super::schema::Vocabulary;
use crate::config::CedarConfig;
use cedar_policy::{Context, Entity};
use portcullis_core::policy::{Rule, Ruling};
use portcullis_core::token::{AccessToken, Kind};
use portcullis_core::{ConfigErrors, Requirement};
use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The policies of the settings, if there are any.
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

    /// The requirement of a route for one request; `None` where there are no policies.
    pub(crate) fn bind(
        &self,
        requirement: &Requirement,
        input: PolicyInput<'_>,
    ) -> Option<BoundRequirement> {
        let engine = self.0.as_ref()?;
        Some(BoundRequirement::new(engine, requirement, input))
    }
}

/// A requirement whose rules know the request.
pub(crate) struct BoundRequirement {
    requirement: Requirement,
    shared: Arc<SharedInput>,
}

/// The input that all rules of one request share.
struct SharedInput {
    engine: Arc<Engine>,
    /// The route and the request; `None` if Cedar does not take them.
    entities: Option<(Entity, Context)>,
    method: Box<str>,
    address_known: bool,
    report: Mutex<PolicyReport>,
}

/// The rule of one demand.
struct BoundRule {
    shared: Arc<SharedInput>,
    action: Option<Box<str>>,
    /// The last answer. A requirement asks a rule twice: once to decide, once to explain.
    last: Mutex<Option<RuleAnswer>>,
}

struct RuleAnswer {
    groups_unknown: bool,
    ruling: Ruling,
    determining: Vec<Box<str>>,
}

impl BoundRequirement {
    pub(super) fn new(
        engine: &Arc<Engine>,
        requirement: &Requirement,
        input: PolicyInput<'_>,
    ) -> Self {
        let resource = engine.names.resource(input.resource);
        let entities = match (resource, context(input)) {
            (Ok(resource), Ok(context)) => Some((resource, context)),
            _ => None,
        };
        let shared = Arc::new(SharedInput {
            engine: Arc::clone(engine),
            entities,
            method: action_of(&input.request.method).into(),
            address_known: input.request.caller.address().is_some(),
            report: Mutex::default(),
        });
        // Settings hold demands without a request; here each gets the request to be asked about.
        let requirement = requirement.with_rules(&|rule| match (&**rule as &dyn Any)
            .downcast_ref::<Demand>()
        {
            Some(Demand { action }) => Arc::new(BoundRule {
                shared: Arc::clone(&shared),
                action: action.clone(),
                last: Mutex::default(),
            }),
            None => Arc::clone(rule),
        });
        Self {
            requirement,
            shared,
        }
    }

    pub(crate) fn requirement(&self) -> &Requirement {
        &self.requirement
    }

    /// The report so far, with each policy named once.
    pub(crate) fn report(&self) -> PolicyReport {
        let mut report = self.shared.report().clone();
        report.determining.sort();
        report.determining.dedup();
        report
    }
}

impl SharedInput {
    fn report(&self) -> MutexGuard<'_, PolicyReport> {
        self.report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn evaluate(&self, action: &str, token: &AccessToken) -> Result<PolicyAnswer, OtherType> {
        let (resource, context) = self.entities.as_ref().ok_or(OtherType)?;
        let names = &self.engine.names;
        let facts = names.facts(token, action, resource, context.clone())?;
        Ok(self.engine.evaluate(action, &facts))
    }

    fn answer(&self, action: &str, token: &AccessToken) -> RuleAnswer {
        let groups_unknown = token.identity().groups().is_unknown();
        let answer = |ruling, determining| RuleAnswer {
            groups_unknown,
            ruling,
            determining,
        };
        // The schema has users and applications only. A caller who may be either is permitted
        // nothing, or a service could pass for a user.
        if token.identity().kind() == Kind::Unknown {
            return answer(Ruling::Unmet, Vec::new());
        }
        let Ok(PolicyAnswer {
            permitted,
            mut determining,
            failed,
        }) = self.evaluate(action, token)
        else {
            let outage = outage("a claim is not of the type that `cedar.claims` says");
            return answer(Ruling::Failed(outage), Vec::new());
        };
        // Policies that left it open have not decided, whatever Cedar says.
        if permitted.is_none() {
            determining.clear();
        }
        let first = failed.first().cloned();
        let mut report = self.report();
        report.determining.extend_from_slice(&determining);
        report.failed.extend(failed);
        drop(report);
        answer(self.ruling(permitted, first, groups_unknown), determining)
    }

    fn ruling(
        &self,
        permitted: Option<bool>,
        first_failure: Option<(Box<str>, &'static str)>,
        groups_unknown: bool,
    ) -> Ruling {
        match (permitted, first_failure) {
            (Some(true), _) => Ruling::Met,
            (Some(false), _) => Ruling::Unmet,
            // The resource server looks the groups up and asks once more.
            (None, None) if groups_unknown || self.address_known => Ruling::GroupsUnknown,
            (None, None) => Ruling::Failed(outage("the caller's address cannot be read")),
            (None, Some((policy, reason))) => {
                let facts = format!("policy `{policy}` cannot be evaluated: {reason}");
                // The gateway logs the policy.
                Ruling::Failed(outage(facts).mark_logged())
            }
        }
    }
}

impl BoundRule {
    fn last(&self) -> MutexGuard<'_, Option<RuleAnswer>> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn action(&self) -> &str {
        self.action.as_deref().unwrap_or(&self.shared.method)
    }
}

impl Rule for BoundRule {
    fn ruling(&self, token: &AccessToken) -> Ruling {
        let groups_unknown = token.identity().groups().is_unknown();
        let mut last = self.last();
        // Once the groups are known, the answer may be another one.
        let answer = match last.take() {
            Some(answer) if answer.groups_unknown == groups_unknown => answer,
            _ => self.shared.answer(self.action(), token),
        };
        last.insert(answer).ruling.clone()
    }
}

impl fmt::Display for BoundRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policies that permit `{}`", self.action())?;
        match &*self.last() {
            Some(RuleAnswer {
                ruling: Ruling::Unmet,
                determining,
                ..
            }) if !determining.is_empty() => {
                write!(f, " (forbidden by {})", determining.join(", "))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for BoundRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
