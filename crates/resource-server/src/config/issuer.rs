//! One trusted issuer, as written: `[[issuer]]`.

use super::one_or_more::{OneOrMore, one_or_more};
use super::{GroupsConfig, IntrospectionConfig, LogoutConfig};
use portcullis_core::jose::json::Json;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One trusted issuer, as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = demand_audience))]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The issuer identifier, exactly as it stands in the tokens' `iss`.
    pub url: String,
    /// What the tokens' `aud` must hold: a text, or a list of which one will do.
    #[serde(default, deserialize_with = "one_or_more")]
    #[cfg_attr(feature = "schema", schemars(with = "OneOrMore<String>"))]
    pub audience: Vec<String>,
    /// What kind of provider it is: `entra-v2`, `okta`, `rfc9068` ... Default: what the URL shows,
    /// else `generic`.
    pub profile: Option<String>,
    /// The tenant that the tokens must name. It also fills `{tenantid}` in `url`. Default: any, or
    /// the one that the issuer itself names.
    pub tenant: Option<String>,
    /// The tenants whose tokens are accepted, where `url` holds `{tenantid}` and is for all of
    /// them.
    #[serde(default)]
    pub tenants: Vec<String>,
    /// Accepts every tenant of a provider whose tenants share their keys: whoever can make a tenant
    /// gets in, and who may do what is for roles and scopes alone. Default false.
    #[serde(default)]
    pub danger_any_tenant: bool,
    /// How many tenants are remembered between requests. Default 1,024.
    pub remembered_tenants: Option<usize>,
    /// Where the caller's stable identifier is, as a claim path. Default: where the provider keeps
    /// it.
    pub subject: Option<String>,
    /// Where roles are found, as claim paths, all of them together; `{audience}` stands for each of
    /// the audiences. Default: where the provider keeps them.
    pub roles: Option<OneOrMore<String>>,
    /// Where groups are found, as claim paths. Default: where the provider keeps them.
    pub groups: Option<OneOrMore<String>>,
    /// Where it is said how the user signed in, as a claim path. Default: where the provider says
    /// so, mostly `acr`.
    pub acr: Option<String>,
    /// Where it is said when the user signed in, as a claim path. Default: where the provider says
    /// so, `auth_time`.
    pub auth_time: Option<String>,
    /// Where the user's email address is, as a claim path: security events that name the user by
    /// an address then end these tokens. Default: nowhere, and such events end nothing.
    pub email: Option<String>,
    /// What parts a text that lists several roles or groups, such as `;`. Default: a text is one
    /// name.
    pub delimiter: Option<char>,
    /// What roles begin with in the token: it is taken off, and roles without it count for nothing.
    /// Default: nothing.
    pub role_prefix: Option<String>,
    /// What scopes begin with in the token: it is taken off, and scopes without it count for
    /// nothing. Default: nothing.
    pub scope_prefix: Option<String>,
    /// The roles that a role includes: `Admin = ["Editor"]`.
    #[serde(default)]
    pub role_includes: BTreeMap<String, Vec<String>>,
    /// Claims that must have a value, or one of several: `repository_owner_id = "123456"`; or that
    /// must fit a pattern: `sub = { like = "repo:my-org/*" }`. Default: none; of a provider for
    /// everybody, such as GitHub Actions, one is required.
    #[serde(default)]
    pub claims: BTreeMap<String, OneOrMore<ClaimCondition>>,
    /// How far the clocks may be apart, in seconds. Default 60, at most 300.
    pub leeway: Option<u64>,
    /// How far away `exp` may be, in seconds. Default 86,400.
    pub max_lifetime: Option<u64>,
    /// The algorithms to accept. Default: all asymmetric ones.
    pub algorithms: Option<Vec<String>>,
    /// The metadata's address, where the issuer's URL does not lead to it. Its `issuer` is checked
    /// all the same. Default: where the provider keeps it, by its URL.
    pub metadata_url: Option<String>,
    /// The key set's address, where the issuer has no metadata. The issuer is checked all the same.
    /// Default: what the metadata names.
    pub jwks_uri: Option<String>,
    /// A file with the key set, in place of an address: no network is needed. It is read again when
    /// it changes. Default: the keys are fetched.
    pub jwks_file: Option<PathBuf>,
    /// Fetches this issuer's documents and asks its endpoints over plain http, where their
    /// addresses say so: for a provider within a closed network. Whoever is on the way can choose
    /// the keys. Default false.
    #[serde(default)]
    pub danger_plain_http: bool,
    /// A file with the certificates, in PEM, that this issuer's documents are trusted by, besides
    /// the usual ones. Default: those of this machine alone.
    pub ca_file: Option<PathBuf>,
    /// A file with a bearer token for fetching this issuer's documents, read again at every fetch,
    /// as Kubernetes wants. Default: none is sent.
    pub fetch_token_file: Option<PathBuf>,
    /// A file that keeps the last good keys, for a start while the issuer is down. Default: keys
    /// are in memory alone.
    pub key_snapshot: Option<PathBuf>,
    /// How the issuer's tokens must be bound: `dpop` to a key (RFC 9449), `mtls` to a client
    /// certificate (RFC 8705), or `any` of the two. Default: they need not be; one that is needs
    /// its proof all the same.
    pub bound: Option<String>,
    /// How the issuer is asked about opaque tokens. Default: it is not, and they are refused.
    pub introspection: Option<IntrospectionConfig>,
    /// How groups are found that do not fit into a token of Entra ID. Default: they are not, and
    /// stay unknown.
    pub groups_lookup: Option<GroupsConfig>,
    /// How logouts are received that the issuer tells of: the table `[issuer.logout]`. Default:
    /// they are not.
    pub logout: Option<LogoutConfig>,
}

/// The reader goes on without an audience, so that its absence is told beside all other faults.
#[cfg(feature = "schema")]
fn demand_audience(schema: &mut schemars::Schema) {
    let required = serde_json::json!(["url", "audience"]);
    schema.insert("required".to_owned(), required);
}

/// A value that a claim can be compared with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected a text, a whole number, true or false")]
pub enum ClaimScalar {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Bool(bool),
}

/// What a claim of an issuer's tokens must be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "expected a text, a whole number, true or false, or a pattern such as { like = \
        \"repo:my-org/*\" }"
)]
pub enum ClaimCondition {
    /// This value.
    Value(ClaimScalar),
    /// A text that fits a pattern, or that has an asterisk of its own.
    Text(ClaimText),
}

/// A text of which it is said how it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum ClaimText {
    /// A pattern: `*` behind `/` or `:` stands for one part of the text, and at the end for all the
    /// rest.
    Like(String),
    /// This text, asterisks and all.
    Exactly(String),
}

impl From<ClaimScalar> for ClaimCondition {
    fn from(value: ClaimScalar) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for ClaimCondition {
    fn from(text: &str) -> Self {
        Self::Value(ClaimScalar::Text(text.to_owned()))
    }
}

impl From<ClaimScalar> for Json {
    fn from(value: ClaimScalar) -> Self {
        match value {
            ClaimScalar::Text(text) => Self::from(text.as_str()),
            ClaimScalar::Integer(integer) => Self::from(integer),
            ClaimScalar::Bool(value) => Self::from(value),
        }
    }
}
