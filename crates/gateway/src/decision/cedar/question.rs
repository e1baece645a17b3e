//! The policies asked about one request: a requirement whose rules know it.

use super::engine::{Engine, Judgement};
use super::facts::{OtherType, context};
use super::{Asking, Bound, Consulted, Demand, action_of, outage};
use cedar_policy::{Context, Entity};
use portcullis_core::Requirement;
use portcullis_core::policy::{Rule, Ruling};
use portcullis_core::token::{AccessToken, Kind};
use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A requirement that is bound to a request.
pub(super) struct Question {
    requirement: Requirement,
    asked: Arc<Asked>,
}

/// What all rules of one request share.
struct Asked {
    engine: Arc<Engine>,
    /// The route and the request, where they could be told.
    told: Option<(Entity, Context)>,
    method: Box<str>,
    address_known: bool,
    consulted: Mutex<Consulted>,
}

/// The rule of one demand.
struct BoundRule {
    asked: Arc<Asked>,
    action: Option<Box<str>>,
    /// The last answer: a rule is asked more than once about a token.
    last: Mutex<Option<Answered>>,
}

struct Answered {
    groups_unknown: bool,
    ruling: Ruling,
    determining: Vec<Box<str>>,
}

impl Question {
    pub(super) fn new(engine: &Arc<Engine>, requirement: &Requirement, asking: Asking<'_>) -> Self {
        let resource = engine.names.resource(asking.resource);
        let told = resource
            .and_then(|resource| Ok((resource, context(asking)?)))
            .ok();
        let asked = Arc::new(Asked {
            engine: Arc::clone(engine),
            told,
            method: action_of(asking.inquiry.method).into(),
            address_known: asking.occasion.caller.is_some(),
            consulted: Mutex::default(),
        });
        let requirement = requirement.with_rules(&|rule| match (&**rule as &dyn Any)
            .downcast_ref::<Demand>()
        {
            Some(Demand { action }) => {
                let (asked, action) = (Arc::clone(&asked), action.clone());
                Arc::new(BoundRule {
                    asked,
                    action,
                    last: Mutex::default(),
                })
            }
            None => Arc::clone(rule),
        });
        Self { requirement, asked }
    }
}

impl Bound for Question {
    fn requirement(&self) -> &Requirement {
        &self.requirement
    }

    fn consulted(&self) -> Consulted {
        let mut consulted = self
            .asked
            .consulted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        consulted.determining.sort();
        consulted.determining.dedup();
        consulted
    }
}

impl Asked {
    fn judge(&self, action: &str, token: &AccessToken) -> Result<Judgement, OtherType> {
        let (resource, context) = self.told.as_ref().ok_or(OtherType)?;
        let facts = self
            .engine
            .names
            .facts(token, action, resource, context.clone())?;
        Ok(self.engine.judge(action, &facts))
    }

    fn answer(&self, action: &str, token: &AccessToken) -> Answered {
        let groups_unknown = token.identity().groups().is_unknown();
        // Policies speak of users and applications; a caller who may be either is permitted
        // nothing.
        if token.identity().kind() == Kind::Unknown {
            return Answered {
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
            return Answered {
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
        let mut consulted = self
            .consulted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        consulted.determining.extend_from_slice(&determining);
        let first = failed.first().cloned();
        consulted.failed.extend(failed);
        let ruling = match (permitted, first) {
            (Some(true), _) => Ruling::Met,
            (Some(false), _) => Ruling::Unmet,
            (None, None) if groups_unknown || self.address_known => Ruling::GroupsUnknown,
            (None, None) => Ruling::Failed(outage("the caller's address cannot be read")),
            (None, Some((policy, reason))) => Ruling::Failed(outage(format!(
                "policy `{policy}` cannot be evaluated: {reason}"
            ))),
        };
        Answered {
            groups_unknown,
            ruling,
            determining,
        }
    }
}

impl BoundRule {
    fn action(&self) -> &str {
        self.action.as_deref().unwrap_or(&self.asked.method)
    }
}

impl Rule for BoundRule {
    fn ruling(&self, token: &AccessToken) -> Ruling {
        let unknown = token.identity().groups().is_unknown();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let again = last.take().filter(|last| last.groups_unknown == unknown);
        let answered = again.unwrap_or_else(|| self.asked.answer(self.action(), token));
        last.insert(answered).ruling.clone()
    }
}

impl fmt::Display for BoundRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policies that permit `{}`", self.action())?;
        match &*self.last.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Answered {
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
