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
mod names;
mod one_or_more;
mod origin;
mod questions;
mod receivers;
pub(crate) mod variables;

pub use client::ClientConfig;
pub use document::{Document, Part};
pub use doors::DOORS;
pub use dotenv::dotenv;
pub use issuer::{ClaimCondition, ClaimScalar, ClaimText, IssuerConfig};
pub use names::VARIABLES;
pub use one_or_more::OneOrMore;
pub use origin::ConfigOrigin;
pub use questions::{GroupsConfig, IntrospectionConfig};
pub use receivers::{EventStreamConfig, LogoutConfig};

use crate::possession::DpopConfig;
use crate::resources::ResourceConfig;
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
    /// A profile of security that all settings must fit: `fapi2` for the FAPI 2.0 Security Profile.
    /// It binds all tokens to a key or a certificate, takes them from `Authorization` only, with
    /// PS256, ES256 or EdDSA, and demands revocation and a scope on every protected route. Weaker
    /// settings are refused. Default: none.
    pub security_profile: Option<String>,
    /// The `realm` of challenges (RFC 9110, section 11.5). Default `api`.
    pub realm: Option<String>,
    /// Where codes are explained, such as `https://docs.example.com/refusals/#{code}`: the `type`
    /// of problem documents, and a link in logs and audit records. Default `urn:portcullis:{code}`.
    pub code_url: Option<String>,
    /// A header that holds the bare token, besides `Authorization`, where a proxy in front puts it
    /// there: `cf-access-jwt-assertion`. Default none.
    pub token_header: Option<String>,
    /// A cookie that holds the token, where a page cannot set headers: `__Host-token`. It counts
    /// for `GET` and `HEAD` of the same site only, and never beside a credential in a header.
    /// Default none.
    pub token_cookie: Option<String>,
    /// How many verified tokens are remembered. Default 10,000; 0 switches it off.
    pub remembered_tokens: Option<usize>,
    /// What clients write before the path to reach this API: `https://api.example`. Proofs of DPoP
    /// name it (RFC 9449, section 4.3); without it, a library or an application refuses tokens
    /// that are bound to a key. The gateway knows it from the request, unless something in front
    /// rewrites that. Default: none.
    pub public_origin: Option<String>,
    /// The APIs behind this server, each with a name of its own (RFC 9728). Default: none, and a
    /// token for any audience of its issuer is good everywhere.
    #[serde(default)]
    pub resource: Vec<ResourceConfig>,
    /// The streams of security events that are received (Shared Signals Framework 1.0). Default:
    /// none.
    #[serde(default)]
    pub events: Vec<EventStreamConfig>,
    /// What was revoked: the table `[revocation]`. Default: in memory only.
    #[serde(default)]
    pub revocation: RevocationConfig,
    /// What proofs of DPoP must meet: the table `[dpop]`. Default: the safe values.
    #[serde(default)]
    pub dpop: DpopConfig,
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
    fn a_member_without_a_name_has_a_place_and_hides_no_other_fault() {
        let text = "\"\" = 2\n[[issuer]]\nurl = \"http://a\"\naudience = [\"x\"]\n";
        let errors = Config::from_toml(text).unwrap_err();
        let places: Vec<_> = errors.iter().map(|error| error.place()).collect();
        assert_eq!(places, ["\"\"", "issuer[0].url"]);
        let text = "\"a\\nb\" = 2\n";
        let errors = Config::from_toml(text).unwrap_err().to_string();
        assert!(errors.contains(r#""a\nb" (line 1)"#), "{errors}");
    }

    #[test]
    fn the_tables_of_the_doors_are_left_to_them() {
        let text = "realm = \"a\"\n[gateway]\nlisten = 1\n[[route]]\nx = 2\n[[upstream]]\ny = 3\n";
        assert_eq!(Config::from_toml(text).unwrap().realm.as_deref(), Some("a"));
    }
}
