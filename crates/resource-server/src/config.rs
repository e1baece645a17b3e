//! The settings as written: a TOML document, or a few environment variables.
//!
//! Reading changes nothing, and unknown members are refused. What the settings mean is for
//! [`Settings`](crate::Settings) to find out. [`Config::from_toml`] and [`Config::from_env`] tell
//! the faults of both at once.

mod client;
mod document;
mod doors;
mod dotenv;
mod environment;
mod issuer;
mod origin;
mod questions;
pub(crate) mod variables;

pub use client::ClientConfig;
pub use document::{Document, Part};
pub use doors::DOORS;
pub use dotenv::dotenv;
pub use issuer::{ClaimCondition, ClaimScalar, ClaimText, IssuerConfig, OneOrMore};
pub use origin::ConfigOrigin;
pub use questions::{GroupsConfig, IntrospectionConfig};
pub use variables::VARIABLES;

use crate::revocation::RevocationConfig;
use portcullis_core::Limits;
use serde::Deserialize;

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
    /// Where these settings were read from. The default is right for a program that makes them.
    #[serde(skip)]
    pub origin: ConfigOrigin,
}

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
        let text = "[[issuer]]\nurl = \"https://a\"\naudiences = [\"x\"]\n";
        let errors = Config::from_toml(text).unwrap_err().to_string();
        assert!(
            errors.contains("issuer[0].audiences (line 3): unknown member `audiences`"),
            "{errors}"
        );
        let text = "realm = \"a\"\n[gatewy]\nlisten = 1\n";
        let errors = Config::from_toml(text).unwrap_err().to_string();
        assert!(
            errors.contains("gatewy (line 2): unknown member `gatewy`")
                && errors.contains("write `gateway`"),
            "{errors}"
        );
    }

    #[test]
    fn the_tables_of_the_doors_are_left_to_them() {
        let text = "realm = \"a\"\n[gateway]\nlisten = 1\n[[route]]\nx = 2\n[[upstream]]\ny = 3\n";
        assert_eq!(Config::from_toml(text).unwrap().realm.as_deref(), Some("a"));
    }
}
