//! What upstreams are told about callers, as written.

use super::AssertionConfig;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `[gateway.identity]`, as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// Header names and what they tell: `subject`, `client`, `tenant`, `kind`, `scopes`, `roles`,
    /// `groups`, `issuer`, or `claim:` and a claim path. Default `x-auth-subject`, `-client`,
    /// `-scopes`, `-roles` and `-issuer`; none where an assertion says it.
    pub headers: Option<BTreeMap<String, String>>,
    /// Beginnings of header names that only the gateway may set. Default `x-auth-`.
    pub reserved: Option<Vec<String>>,
    /// Headers by which proxies tell of a request or its sender that are let through all the same,
    /// such as `CF-IPCountry`: whoever reaches the gateway can forge them. Default: none.
    #[serde(default)]
    pub danger_pass: Vec<String>,
    /// Whether the upstream gets the token as well. Default false.
    #[serde(default)]
    pub forward_token: bool,
    /// One signed assertion for the upstream, which it can verify. Default: none.
    pub assertion: Option<AssertionConfig>,
}
