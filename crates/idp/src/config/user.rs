//! The people who can sign in.

use crate::config::secret::Secret;
use crate::config::toml_text::TableText;
use crate::token::claims::JsonObject;
use serde::Deserialize;

/// A person.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Their username, and the `preferred_username` of their tokens.
    pub username: String,
    /// Their password, in clear: this is for development.
    pub password: Secret,
    /// Their stable identifier: `sub` and `oid`. Default derived from the username.
    pub id: Option<String>,
    /// Their full name.
    #[serde(default)]
    pub name: String,
    /// Their email address.
    pub email: Option<String>,
    /// Their roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The identifiers of their groups. As with Entra ID, more than 200 are left out of its tokens.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Their tenant: the claim `tid`, and with Entra ID the issuer of their tokens. Default the
    /// provider's.
    pub tenant: Option<String>,
    /// Claims in every token about them, in place of the dialect's own.
    #[serde(default)]
    pub claims: JsonObject,
}

impl User {
    /// The user as the settings write it.
    pub(crate) fn toml(&self) -> String {
        TableText::new("user")
            .text("username", Some(&self.username))
            .text("password", Some(self.password.reveal()))
            .text("id", self.id.as_deref())
            .text(
                "name",
                Some(&self.name)
                    .filter(|name| !name.is_empty())
                    .map(String::as_str),
            )
            .text("email", self.email.as_deref())
            .list("roles", &self.roles)
            .list("groups", &self.groups)
            .text("tenant", self.tenant.as_deref())
            .object("claims", &self.claims)
            .into_text()
    }

    /// A user that is not in the settings.
    pub(crate) fn unknown(name: &str) -> Self {
        Self {
            username: name.to_owned(),
            // The empty password lets nobody in: only configured users can sign in.
            password: Secret::new(""),
            id: None,
            name: name.to_owned(),
            email: None,
            roles: Vec::new(),
            groups: Vec::new(),
            tenant: None,
            claims: JsonObject::new(),
        }
    }
}
