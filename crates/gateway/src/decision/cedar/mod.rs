//! Cedar policies: a demand of a route that is answered by a policy set, with the token, the
//! request and the route in view.
//!
//! Policies are read, and checked against a schema made from the settings ([`schema`]), before any
//! request comes. A `forbid` wins over every `permit`, and what nothing permits is denied. A policy
//! that cannot be evaluated is never passed over: where the decision hangs on it, nobody can tell,
//! which is 503. So it is with groups that nobody knows.
//!
//! Not checked is whether policies mean what their author meant. Without the feature `cedar`
//! settings that name policies are refused.

mod files;
mod schema;

#[cfg(feature = "cedar")]
mod engine;
#[cfg(feature = "cedar")]
mod facts;
#[cfg(feature = "cedar")]
mod policies;
#[cfg(feature = "cedar")]
mod question;

#[cfg(not(feature = "cedar"))]
mod absent;
#[cfg(not(feature = "cedar"))]
pub(crate) use absent::{BoundRequirement, Policies};
#[cfg(feature = "cedar")]
pub(crate) use engine::Policies;
#[cfg(feature = "cedar")]
pub(crate) use question::BoundRequirement;

pub(crate) use files::{Source, sources};
pub(crate) use schema::{ClaimType, Vocabulary, demands, is_name, parameter};

use crate::decision::routes::Route;
use crate::request::incoming::IncomingRequest;
use http::Method;
use portcullis_core::policy::{Rule, Ruling};
use portcullis_core::token::{AccessToken, NumericDate};
use portcullis_core::{Outage, OutageCode, Requirement};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// The schema of the policies that these settings would take: what
/// `portcullis config schema --cedar` prints.
///
/// It is there whether or not the settings are in order, and for builds without policies too.
pub fn cedar_schema(config: &crate::Config) -> String {
    schema::text(&Vocabulary::of(&config.gateway))
}

/// What a route's `require = { cedar = ... }` stands for, until there is a request to ask about.
#[derive(Debug)]
pub(crate) struct Demand {
    /// What the policies call what is asked for; `None`: by the request's method.
    pub(crate) action: Option<Box<str>>,
}

/// A route, as policies see it.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "cedar"), expect(dead_code, reason = "nobody asks"))]
pub(crate) struct Resource {
    /// The route's name, or else its path as written.
    pub(crate) id: Box<str>,
    /// The path as written.
    pub(crate) path: Box<str>,
    /// The segments with names, and their places from 0.
    pub(crate) parameters: Vec<(usize, Box<str>)>,
}

/// What policies are asked about: a request on its route.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "cedar"), expect(dead_code, reason = "nobody asks"))]
pub(crate) struct PolicyInput<'r> {
    pub(crate) request: &'r IncomingRequest<'r>,
    pub(crate) resource: &'r Resource,
    pub(crate) now: NumericDate,
}

/// What the policies said about a request: for the log and the audit record, never for the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyReport {
    /// The policies that decided, by name.
    pub(crate) determining: Vec<Box<str>>,
    /// The policies that could not be evaluated, and why.
    pub(crate) failed: Vec<(Box<str>, &'static str)>,
}

impl Policies {
    /// The requirement of a route for one request; `None` where it asks no policies.
    pub(crate) fn bind(
        &self,
        requirement: &Requirement,
        route: &Route,
        request: &IncomingRequest<'_>,
        now: NumericDate,
    ) -> Option<BoundRequirement> {
        let input = PolicyInput {
            request,
            resource: route.resource.as_ref()?,
            now,
        };
        self.bind_input(requirement, input)
    }
}

/// What policies call the method of a request. `HEAD` is asked for as `GET`, as in routes.
pub(crate) fn action_of(method: &Method) -> &str {
    if method == Method::HEAD {
        Method::GET.as_str()
    } else {
        method.as_str()
    }
}

/// Nobody can tell.
pub(crate) fn outage(facts: impl Into<Cow<'static, str>>) -> Outage {
    Outage::new(OutageCode::Policy, facts, Duration::from_secs(1))
}

impl Rule for Demand {
    /// Only what is bound to a request can be answered.
    fn ruling(&self, _: &AccessToken) -> Ruling {
        Ruling::Failed(outage("policies were asked without a request"))
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Some(action) => write!(f, "policies that permit `{action}`"),
            None => f.write_str("policies that permit the method"),
        }
    }
}
