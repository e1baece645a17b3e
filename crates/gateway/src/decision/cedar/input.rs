//! The input of the policies, and their report.

use crate::request::incoming::IncomingRequest;
use http::Method;
use portcullis_core::policy::{Rule, Ruling};
use portcullis_core::token::{AccessToken, NumericDate};
use portcullis_core::{Outage, OutageCode};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A route's `require = { cedar = ... }`, before it is bound to a request.
#[derive(Debug)]
pub(crate) struct Demand {
    /// The action that the policies are asked about; `None` for the request's method.
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

/// A request on its route, as policies see it.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "cedar"), expect(dead_code, reason = "nobody asks"))]
pub(crate) struct PolicyInput<'r> {
    pub(crate) request: &'r IncomingRequest<'r>,
    pub(crate) resource: &'r Resource,
    pub(crate) now: NumericDate,
}

/// The policies that decided or failed. The report is for the log and the audit record, never for
/// the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyReport {
    /// The policies that decided, by name.
    pub(crate) determining: Vec<Box<str>>,
    /// The policies that could not be evaluated, and why.
    pub(crate) failed: Vec<(Box<str>, &'static str)>,
}

/// The action that a method stands for. `HEAD` is `GET`, as in routes: whatever hides the answer
/// hides its head.
pub(crate) fn action_of(method: &Method) -> &str {
    if method == Method::HEAD {
        Method::GET.as_str()
    } else {
        method.as_str()
    }
}

/// An outage of the policies, which is 503: neither leave nor a refusal could be justified.
pub(crate) fn outage(facts: impl Into<Cow<'static, str>>) -> Outage {
    // A policy may hang on something that is known a moment later, so clients may try again soon.
    Outage::new(OutageCode::Policy, facts, Duration::from_secs(1))
}

impl Rule for Demand {
    /// Fails closed: only a bound demand can be answered.
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
