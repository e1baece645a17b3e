//! `[cedar]`, as written.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `[cedar]`, as written: policies that routes ask with `require = { cedar = true }`. The files are
/// read again when they change.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct CedarConfig {
    /// Files with policies, and folders of which every file that ends in `.cedar` counts. Together
    /// they are one set.
    pub policies: Vec<PathBuf>,
    /// Claims that policies may read as `principal.claims`, by their path, and the type of each:
    /// `String`, `Long`, `Bool` or `Set<String>`.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
}

/// What is asked of the policies.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(untagged)]
pub enum CedarDemand {
    /// `true`: that they permit the request's method, as `Portcullis::Action::"GET"`.
    Asked(bool),
    /// That they permit this action, such as `orders:read`.
    Action(String),
}
