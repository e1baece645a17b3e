//! The policies asked about one request: a requirement whose rules know it.

use super::engine::{Engine, Judgement};
use super::facts::{OtherType, context};
use super::{Demand, PolicyInput, PolicyReport, action_of, outage};
use cedar_policy::{Context, Entity};
use portcullis_core::Requirement;
use portcullis_core::policy::{Rule, Ruling};
use portcullis_core::token::{AccessToken, Kind};
use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A requirement whose rules know the request.
pub(crate) struct BoundRequirement {
    requirement: Requirement,
    shared: Arc<SharedInput>,
}

/// What all rules of one request share.
struct SharedInput {
    engine: Arc<Engine>,
    /// The route and the request, where they could be told.
    told: Option<(Entity, Context)>,
    method: Box<str>,
    address_known: bool,
    report: Mutex<PolicyReport>,
}

/// The rule of one demand.
struct BoundRule {
    shared: Arc<SharedInput>,
    action: Option<Box<str>>,
    /// The last answer: a rule is asked more than once about a token.
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
        let told = resource
            .and_then(|resource| Ok((resource, context(input)?)))
            .ok();
        let shared = Arc::new(SharedInput {
            engine: Arc::clone(engine),
            told,
            method: action_of(&input.request.method).into(),
            address_known: input.request.caller.address().is_some(),
            report: Mutex::default(),
        });
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

    /// What the policies said so far, each policy named once.
    pub(crate) fn report(&self) -> PolicyReport {
        let mut report = self.shared.report().clone();
        report.determining.sort();
        report.determining.dedup();
        report
    }
}

impl SharedInput {
    fn report(&self) -> MutexGuard<'_, PolicyReport> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, action: &str, token: &AccessToken) -> Result<Judgement, OtherType> {
        let (resource, context) = self.told.as_ref().ok_or(OtherType)?;
        let facts = self
            .engine
            .names
            .facts(token, action, resource, context.clone())?;
        Ok(self.engine.judge(action, &facts))
    }

    fn answer(&self, action: &str, token: &AccessToken) -> RuleAnswer {
        let groups_unknown = token.identity().groups().is_unknown();
        // Policies speak of users and applications; a caller who may be either is permitted
        // nothing.
        if token.identity().kind() == Kind::Unknown {
            return RuleAnswer {
                groups_unknown,
                ruling: Ruling::Unmet,
                determining: Vec::new(),
            };
        }
        let Ok(Judgement {
            permitted,
            determining,
            failed,
        }) = self.judge(action, token)
        else {
            let ruling = Ruling::Failed(outage(
                "a claim is not of the type that `cedar.claims` says",
            ));
            return RuleAnswer {
                groups_unknown,
                ruling,
                determining: Vec::new(),
            };
        };
        let determining = if permitted.is_some() {
            determining
        } else {
            Vec::new()
        };
        let first = failed.first().cloned();
        let mut report = self.report();
        report.determining.extend_from_slice(&determining);
        report.failed.extend(failed);
        drop(report);
        let ruling = match (permitted, first) {
            (Some(true), _) => Ruling::Met,
            (Some(false), _) => Ruling::Unmet,
            (None, None) if groups_unknown || self.address_known => Ruling::GroupsUnknown,
            (None, None) => Ruling::Failed(outage("the caller's address cannot be read")),
            (None, Some((policy, reason))) => Ruling::Failed(outage(format!(
                "policy `{policy}` cannot be evaluated: {reason}"
            ))),
        };
        RuleAnswer {
            groups_unknown,
            ruling,
            determining,
        }
    }
}

impl BoundRule {
    fn action(&self) -> &str {
        self.action.as_deref().unwrap_or(&self.shared.method)
    }
}

impl Rule for BoundRule {
    fn ruling(&self, token: &AccessToken) -> Ruling {
        let unknown = token.identity().groups().is_unknown();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let again = last.take().filter(|last| last.groups_unknown == unknown);
        let answered = again.unwrap_or_else(|| self.shared.answer(self.action(), token));
        last.insert(answered).ruling.clone()
    }
}

impl fmt::Display for BoundRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policies that permit `{}`", self.action())?;
        match &*self.last.lock().unwrap_or_else(PoisonError::into_inner) {
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
