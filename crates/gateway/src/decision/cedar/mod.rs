//! Cedar policies: a demand of a route that a policy set answers, with the token, the request and
//! the route in view.
//!
//! Policies are read and checked against a schema made from the settings ([`schema`]) before any
//! request comes. A `forbid` wins over every `permit`, and a request that nothing permits is
//! denied. A policy that cannot be evaluated is never passed over: if the decision depends on it,
//! the answer is 503. The same holds for groups that nobody knows.
//!
//! Whether policies mean what their author meant is not checked. Without the feature `cedar`,
//! settings that name policies are refused.

mod files;
mod input;
mod schema;

#[cfg(not(feature = "cedar"))]
mod absent;
#[cfg(feature = "cedar")]
mod bound;
#[cfg(feature = "cedar")]
mod engine;
#[cfg(feature = "cedar")]
mod facts;
#[cfg(feature = "cedar")]
mod policies;
#[cfg(not(feature = "cedar"))]
pub(crate) use absent::{BoundRequirement, Policies};
#[cfg(feature = "cedar")]
pub(crate) use bound::{BoundRequirement, Policies};

pub(crate) use files::{PolicyFile, policy_files};
pub(crate) use input::{Demand, PolicyInput, PolicyReport, Resource};
pub(crate) use schema::{ClaimType, Vocabulary, demands, is_name, parameter};

/// The schema of the policies that these settings would take: what
/// `portcullis config schema --cedar` prints.
///
/// It is there whether or not the settings are in order, and for builds without policies too.
pub fn cedar_schema(config: &crate::Config) -> String {
    schema::text(&Vocabulary::of(&config.gateway))
}
