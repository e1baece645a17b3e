//! The settings as written: a TOML document, or a few environment variables.
//!
//! Reading changes nothing, and unknown members are refused. What the settings mean is for
//! [`Settings`](crate::Settings) to find out.

mod environment;
mod issuer;
mod questions;
mod unreadable;
mod variables;

pub use environment::{Filled, fill};
pub use issuer::{ClaimCondition, ClaimScalar, ClaimText, IssuerConfig, OneOrMore};
pub(crate) use questions::WrittenClient;
pub use questions::{GroupsConfig, IntrospectionConfig};
pub use unreadable::unreadable;
pub use variables::{VARIABLES, dotenv};

use crate::revocation::RevocationConfig;
use portcullis_core::{ConfigErrors, Limits};
use serde::Deserialize;
use toml::de::DeTable;

/// The settings of a resource server, as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The trusted issuers: at least one.
    #[serde(default)]
    pub issuer: Vec<IssuerConfig>,
    /// The `realm` of challenges (RFC 9110, section 11.5). Default `api`.
    pub realm: Option<String>,
    /// A header that holds the bare token, besides `Authorization`, where a proxy in front puts it
    /// there: `cf-access-jwt-assertion`. Default none.
    pub token_header: Option<String>,
    /// A cookie that holds the token, where a page cannot set headers: `__Host-token`. It counts
    /// for `GET` and `HEAD` of the same site only, and never beside a credential in a header.
    /// Default none.
    pub token_cookie: Option<String>,
    /// How many verified tokens are remembered. Default 10,000; 0 switches it off.
    pub remembered_tokens: Option<usize>,
    /// What was revoked: the table `[revocation]`. Default: in memory only.
    #[serde(default)]
    pub revocation: RevocationConfig,
    /// The bounds on foreign input, each with its safe default.
    #[serde(default)]
    pub limits: Limits,
}

impl Config {
    /// Reads a TOML document. The tables of the [doors](DOORS) are left to them. `${NAME}` in a
    /// string is the variable of that name, of the environment or of `.env`.
    ///
    /// # Errors
    ///
    /// What cannot be read, with its line; every variable that is not set.
    pub fn from_toml(text: &str) -> Result<Self, ConfigErrors> {
        Self::read(text, fill)
    }

    /// The same, with variables from anywhere.
    #[cfg(test)]
    fn from_toml_with(
        text: &str,
        variable: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<Self, ConfigErrors> {
        Self::read(text, |document| environment::fill_with(document, variable))
    }

    fn read(
        text: &str,
        fill: impl FnOnce(&mut DeTable<'_>) -> Result<Filled, ConfigErrors>,
    ) -> Result<Self, ConfigErrors> {
        let parsed = DeTable::parse(text);
        let mut document =
            parsed.map_err(|error| unreadable(text, error.span(), error.message()))?;
        for door in DOORS {
            document.get_mut().remove(door);
        }
        let filled = fill(document.get_mut())?;
        let read = Self::deserialize(toml::Deserializer::from(document));
        read.map_err(|error| unreadable(text, error.span(), &filled.hide(error.message())).into())
    }
}

/// The tables that one document may hold beside the resource server's: they are the gateway's to
/// read.
pub const DOORS: [&str; 7] = [
    "gateway",
    "forward_auth",
    "ext_authz",
    "log",
    "route",
    "upstream",
    "cedar",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_audience_needs_no_list() {
        let audiences = |written: &str| {
            let text = format!("[[issuer]]\nurl = \"https://a.example\"\naudience = {written}\n");
            Config::from_toml(&text)
                .map(|config| config.issuer[0].audience.clone())
                .ok()
        };
        assert_eq!(audiences("\"x\""), Some(vec!["x".to_owned()]));
        assert_eq!(
            audiences("[\"x\", \"y\"]"),
            Some(vec!["x".to_owned(), "y".to_owned()])
        );
        assert_eq!(audiences("7"), None);
    }

    #[test]
    fn limits_are_settings() {
        let config = Config::from_toml("[limits]\ntoken_bytes = 4096\n").unwrap();
        assert_eq!(
            config.limits,
            Limits {
                token_bytes: 4_096,
                ..Limits::default()
            }
        );
    }

    #[test]
    fn unknown_members_are_refused_with_their_line() {
        let errors = Config::from_toml("[[issuer]]\nurl = \"https://a\"\naudiences = [\"x\"]\n")
            .unwrap_err();
        assert!(errors.to_string().contains("line 3"), "{errors}");
        let errors = Config::from_toml("realm = \"a\"\n[gatewy]\nlisten = 1\n").unwrap_err();
        assert!(
            errors
                .to_string()
                .contains("line 2: unknown field `gatewy`"),
            "{errors}"
        );
    }

    #[test]
    fn the_tables_of_the_doors_are_left_to_them() {
        let text = "realm = \"a\"\n[gateway]\nlisten = 1\n[[route]]\nx = 2\n[[upstream]]\ny = 3\n";
        assert_eq!(Config::from_toml(text).unwrap().realm.as_deref(), Some("a"));
    }
}
