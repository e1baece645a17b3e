//! `[[resource]]`, as written.

use crate::config::OneOrMore;
use serde::Deserialize;

/// `[[resource]]`, as written: an API behind this server with a name of its own (RFC 9728). Every
/// request beneath its path needs a token for it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResourceConfig {
    /// The URL of the resource, exactly as clients write it: `https://api.example/orders`. The
    /// metadata names it code point for code point.
    pub url: String,
    /// What `aud` of its tokens holds, where that is not the URL: one name, or several of which
    /// one will do, such as the URL and the GUID of Entra ID. Each must be an audience of an
    /// issuer. Default: the URL.
    pub audience: Option<OneOrMore<String>>,
    /// The scopes that clients may ask for: `scopes_supported`. Default: those that the routes
    /// beneath it demand.
    pub scopes: Option<Vec<String>>,
    /// Its name for people: `resource_name`. Default: none.
    pub name: Option<String>,
    /// The address of its documentation: `resource_documentation`. Default: none.
    pub documentation: Option<String>,
    /// The address of its rules for the use of data: `resource_policy_uri`. Default: none.
    pub policy: Option<String>,
    /// The address of its terms of service: `resource_tos_uri`. Default: none.
    pub terms: Option<String>,
}
