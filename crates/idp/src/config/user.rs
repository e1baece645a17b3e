//! The people who can sign in.

use crate::config::secret::Secret;
use crate::token::claims::Claims;
use serde::Deserialize;

/// A person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// What they sign in with, and the `preferred_username` of their tokens.
    pub username: String,
    /// Their password, in clear: this is for development.
    pub password: Secret,
    /// The stable identifier: `sub` and `oid`. Default one that is made from the username.
    pub id: Option<String>,
    /// Their full name.
    #[serde(default)]
    pub name: String,
    /// Their address.
    pub email: Option<String>,
    /// Their roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The identifiers of their groups. Imitating Entra ID, more than 200 are left out of tokens.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Their tenant: the claim `tid`, and imitating Entra ID the issuer of their tokens. Default
    /// the provider's.
    pub tenant: Option<String>,
    /// Claims in every token about them, whatever the dialect writes there.
    #[serde(default)]
    pub claims: Claims,
}

impl User {
    /// Somebody of whom the settings say nothing.
    pub(crate) fn unknown(name: &str) -> Self {
        Self {
            username: name.to_owned(),
            password: Secret::new(""),
            id: None,
            name: name.to_owned(),
            email: None,
            roles: Vec::new(),
            groups: Vec::new(),
            tenant: None,
            claims: Claims::new(),
        }
    }
}
