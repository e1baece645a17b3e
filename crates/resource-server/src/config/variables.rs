//! The settings as a few environment variables, and `.env`.

use super::{Config, IntrospectionConfig, IssuerConfig, OneOrMore};
use crate::revocation::{RevocationConfig, StoreUrl};
use portcullis_core::{ConfigError, ConfigErrors};
use portcullis_provider::client_auth::Secret;
use std::collections::BTreeMap;
use std::path::Path;

/// The variables that are read from the environment.
pub const VARIABLES: [&str; 12] = [
    "OAUTH2_ISSUER",
    "OAUTH2_AUDIENCE",
    "OAUTH2_TENANT_ID",
    "OAUTH2_PROFILE",
    "OAUTH2_ROLES_CLAIM",
    "OAUTH2_JWKS_FILE",
    "OAUTH2_DANGER_PLAIN_HTTP",
    "OAUTH2_INTROSPECTION",
    "OAUTH2_INTROSPECTION_ENDPOINT",
    "OAUTH2_CLIENT_ID",
    "OAUTH2_CLIENT_SECRET",
    "PORTCULLIS_STORE",
];

impl Config {
    /// Reads the environment, and `.env` in the working directory for what the environment does not
    /// hold.
    ///
    /// `OAUTH2_ISSUER` and `OAUTH2_AUDIENCE` (several with commas between) are needed;
    /// `OAUTH2_TENANT_ID`, `OAUTH2_PROFILE`, `OAUTH2_ROLES_CLAIM`, `OAUTH2_JWKS_FILE`,
    /// `OAUTH2_DANGER_PLAIN_HTTP` and `PORTCULLIS_STORE`, the URL of the revocation store, are
    /// optional. `OAUTH2_INTROSPECTION=true` has the issuer asked about opaque tokens, as the
    /// client `OAUTH2_CLIENT_ID` with `OAUTH2_CLIENT_SECRET`; `OAUTH2_INTROSPECTION_ENDPOINT` says
    /// where, if the issuer's metadata does not.
    ///
    /// # Errors
    ///
    /// Every variable that is missing, and a `.env` that cannot be read, all at once.
    pub fn from_env() -> Result<Self, ConfigErrors> {
        let file = dotenv(Path::new(".env"))?;
        Self::from_variables(|name| std::env::var(name).ok().or_else(|| file.get(name).cloned()))
    }

    /// One variable of the environment, or else of `.env`, for the settings of the application
    /// itself.
    ///
    /// # Errors
    ///
    /// A `.env` that cannot be read.
    pub fn variable(name: &str) -> Result<Option<String>, ConfigErrors> {
        let file = dotenv(Path::new(".env"))?;
        Ok(std::env::var(name).ok().or_else(|| file.get(name).cloned()))
    }

    /// Reads variables from anywhere.
    ///
    /// # Errors
    ///
    /// Every variable that is missing, all at once.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        let value = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        let (issuer, audience) = (value("OAUTH2_ISSUER"), value("OAUTH2_AUDIENCE"));
        let faults = [
            (
                "OAUTH2_ISSUER",
                &issuer,
                "OAUTH2_ISSUER=https://idp.example.com",
            ),
            (
                "OAUTH2_AUDIENCE",
                &audience,
                "OAUTH2_AUDIENCE=api://enterprise-api",
            ),
        ];
        let missing = |(name, _, example): (&str, _, &str)| {
            let cure = format!("set it in the environment or in `.env`, such as `{example}`");
            ConfigError::new(name, "it is not set", cure)
        };
        let missed = faults
            .into_iter()
            .filter(|(_, value, _): &(_, &Option<String>, _)| value.is_none());
        let mut faults: Vec<ConfigError> = missed.map(missing).collect();
        let introspection = introspection(value, &mut faults);
        let danger_plain_http = switch("OAUTH2_DANGER_PLAIN_HTTP", value, &mut faults);
        ConfigErrors::check(faults)?;
        let audience = audience.unwrap_or_default();
        let issuer = IssuerConfig {
            url: issuer.unwrap_or_default(),
            audience: audience
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
            profile: value("OAUTH2_PROFILE"),
            tenant: value("OAUTH2_TENANT_ID"),
            roles: value("OAUTH2_ROLES_CLAIM").map(OneOrMore::One),
            jwks_file: value("OAUTH2_JWKS_FILE").map(|path| path.trim().into()),
            danger_plain_http,
            introspection,
            ..IssuerConfig::default()
        };
        let revocation = RevocationConfig {
            store: value("PORTCULLIS_STORE").map(|url| StoreUrl::new(url.trim())),
            ..RevocationConfig::default()
        };
        Ok(Self {
            issuer: vec![issuer],
            revocation,
            ..Self::default()
        })
    }
}

/// A variable that is `true`, `false`, or not set.
fn switch(
    name: &str,
    value: impl Fn(&str) -> Option<String>,
    faults: &mut Vec<ConfigError>,
) -> bool {
    match value(name).as_deref().map(str::trim) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            faults.push(ConfigError::new(
                name,
                "`true` or `false`",
                "write `true`, or leave it out",
            ));
            false
        }
    }
}

/// The simple case of introspection: `OAUTH2_INTROSPECTION=true`, a client and its secret.
fn introspection(
    value: impl Fn(&str) -> Option<String>,
    faults: &mut Vec<ConfigError>,
) -> Option<IntrospectionConfig> {
    let endpoint = value("OAUTH2_INTROSPECTION_ENDPOINT").map(|url| url.trim().to_owned());
    match value("OAUTH2_INTROSPECTION").as_deref().map(str::trim) {
        None if endpoint.is_some() => {
            let (place, cure) = (
                "OAUTH2_INTROSPECTION",
                "set it to `true`, or leave the endpoint out",
            );
            faults.push(ConfigError::new(
                place,
                "`true`, as `OAUTH2_INTROSPECTION_ENDPOINT` is set",
                cure,
            ));
            return None;
        }
        None | Some("false") => return None,
        Some("true") => {}
        Some(_) => {
            let cure = "write `true`, or leave it out; everything else is for the TOML document";
            faults.push(ConfigError::new(
                "OAUTH2_INTROSPECTION",
                "`true` or `false`",
                cure,
            ));
            return None;
        }
    }
    let mut needed = |name: &str| {
        let found = value(name);
        if found.is_none() {
            let cure = "set it to what the issuer gave to this API's own client";
            faults.push(ConfigError::new(
                name,
                "it is not set, and `OAUTH2_INTROSPECTION` needs it",
                cure,
            ));
        }
        found
    };
    let (client_id, secret) = (needed("OAUTH2_CLIENT_ID"), needed("OAUTH2_CLIENT_SECRET"));
    Some(IntrospectionConfig {
        endpoint,
        client_id,
        client_secret: secret.map(Secret::new),
        ..IntrospectionConfig::default()
    })
}

/// The variables of a `.env` file; none if there is no file.
///
/// # Errors
///
/// A file that is there but cannot be read. Values are never shown.
pub fn dotenv(path: &Path) -> Result<BTreeMap<String, String>, ConfigErrors> {
    let fault = |problem: &str| {
        let cure = "write lines like `OAUTH2_ISSUER=https://idp.example.com`, or remove the file";
        ConfigErrors::from(ConfigError::new(path.display().to_string(), problem, cure))
    };
    match dotenvy::from_path_iter(path) {
        Ok(lines) => lines
            .collect::<Result<_, _>>()
            .map_err(|_| fault("a line is not of the form NAME=value")),
        Err(error) if error.not_found() => Ok(BTreeMap::new()),
        Err(_) => Err(fault("the file cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_variables_are_named_all_at_once() {
        let errors = Config::from_variables(|_| None).unwrap_err().to_string();
        assert!(
            errors.contains("OAUTH2_ISSUER") && errors.contains("OAUTH2_AUDIENCE"),
            "{errors}"
        );
        let blank = Config::from_variables(|_| Some(" ".to_owned()));
        assert!(blank.is_err());
    }

    fn of(variables: &[(&str, &str)]) -> Result<Config, String> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Config::from_variables(|name| find(name).map(|(_, value)| (*value).to_owned()))
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn audiences_are_a_list() {
        let config = of(&[("OAUTH2_ISSUER", "x"), ("OAUTH2_AUDIENCE", "a, b")]);
        assert_eq!(config.unwrap().issuer[0].audience, ["a", "b"]);
    }

    #[test]
    fn introspection_needs_a_client_with_its_secret() {
        let with = |more: &[(&str, &str)]| {
            of(&[
                &[("OAUTH2_ISSUER", "https://a"), ("OAUTH2_AUDIENCE", "b")],
                more,
            ]
            .concat())
        };
        let client = ("OAUTH2_CLIENT_ID", "api");
        assert!(with(&[client]).unwrap().issuer[0].introspection.is_none());
        assert!(
            with(&[("OAUTH2_INTROSPECTION", "false")]).unwrap().issuer[0]
                .introspection
                .is_none()
        );
        let errors = with(&[("OAUTH2_INTROSPECTION", "true"), client]).unwrap_err();
        assert!(
            errors.contains("OAUTH2_CLIENT_SECRET") && !errors.contains("OAUTH2_CLIENT_ID"),
            "{errors}"
        );
        assert!(
            with(&[("OAUTH2_INTROSPECTION", "yes"), client])
                .unwrap_err()
                .contains("`true` or `false`")
        );
        let whole = [
            ("OAUTH2_INTROSPECTION", "true"),
            client,
            ("OAUTH2_CLIENT_SECRET", "marked"),
        ];
        let config = with(&whole).unwrap();
        let introspection = config.issuer[0].introspection.as_ref().unwrap();
        assert_eq!(introspection.client_secret, Some(Secret::new("marked")));
        assert!(!format!("{config:?}").contains("marked"));
        let endpoint = ("OAUTH2_INTROSPECTION_ENDPOINT", "https://a/ask");
        let config = with(&[&whole[..], &[endpoint]].concat()).unwrap();
        let introspection = config.issuer[0].introspection.as_ref().unwrap();
        assert_eq!(introspection.endpoint.as_deref(), Some("https://a/ask"));
        assert!(
            with(&[endpoint])
                .unwrap_err()
                .contains("OAUTH2_INTROSPECTION")
        );
    }
}
