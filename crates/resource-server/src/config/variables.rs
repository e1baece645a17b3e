//! The settings as a few environment variables, and `.env`.

use super::dotenv::dotenv;
use super::names;
use super::{ClientConfig, Config, ConfigOrigin, IntrospectionConfig, IssuerConfig, OneOrMore};
use crate::revocation::{RevocationConfig, StoreUrl};
use portcullis_core::{ConfigErrors, Faults};
use portcullis_provider::client_auth::Secret;
use std::path::{Path, PathBuf};

/// The settings that variables from anywhere describe. Their faults are in the origin.
pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Config {
    read_among(&[], variable)
}

/// The same, with the names of all variables that are set, so that misspelled ones are found.
pub(crate) fn read_among(set: &[String], variable: impl Fn(&str) -> Option<String>) -> Config {
    let variables = Variables {
        variable: &variable,
        set,
        faults: Faults::default(),
    };
    let is_set = |name: &str| variables.value(name).is_some();
    names::check(set, is_set, &variables.faults);
    variables.config()
}

struct Variables<'v> {
    variable: &'v dyn Fn(&str) -> Option<String>,
    set: &'v [String],
    faults: Faults,
}

impl Variables<'_> {
    fn config(&self) -> Config {
        let audience = self.require("OAUTH2_AUDIENCE", "OAUTH2_AUDIENCE=api://enterprise-api");
        let mut audiences = Vec::new();
        for name in audience.as_deref().unwrap_or_default().split(',') {
            if !name.trim().is_empty() {
                audiences.push(name.trim().to_owned());
            }
        }
        let issuer = IssuerConfig {
            url: self
                .require("OAUTH2_ISSUER", "OAUTH2_ISSUER=https://idp.example.com")
                .unwrap_or_default(),
            audience: audiences,
            profile: self.value("OAUTH2_PROFILE"),
            tenant: self.value("OAUTH2_TENANT_ID"),
            roles: self.value("OAUTH2_ROLES_CLAIM").map(OneOrMore::One),
            jwks_file: self.trim("OAUTH2_JWKS_FILE").map(PathBuf::from),
            danger_plain_http: self.switch("OAUTH2_DANGER_PLAIN_HTTP"),
            introspection: self.introspection(),
            ..IssuerConfig::default()
        };
        let revocation = RevocationConfig {
            store: self.trim("PORTCULLIS_STORE").map(StoreUrl::new),
            ..RevocationConfig::default()
        };
        Config {
            issuer: vec![issuer],
            code_url: self.trim("PORTCULLIS_CODE_URL"),
            public_origin: self.trim("OAUTH2_PUBLIC_ORIGIN"),
            revocation,
            // Taken after every variable was read, as each read may add a fault.
            origin: ConfigOrigin::of_environment(&self.faults),
            ..Config::default()
        }
    }

    /// A blank variable counts as unset: compose files and CI pass such ones on.
    fn value(&self, name: &str) -> Option<String> {
        let value = (self.variable)(name)?;
        (!value.trim().is_empty()).then_some(value)
    }

    fn trim(&self, name: &str) -> Option<String> {
        Some(self.value(name)?.trim().to_owned())
    }

    fn require(&self, name: &str, example: &str) -> Option<String> {
        let value = self.value(name);
        if value.is_some() {
            return value;
        }
        let expected = self.faults.expected(name, "a value");
        match names::similar_name(name, self.set) {
            Some(other) => expected
                .found_as(format!("only {other}"))
                .help(format!("rename `{other}` to `{name}`")),
            None => expected.found_nothing().help(format!(
                "set it in the environment or in `.env`, such as `{example}`"
            )),
        }
        None
    }

    /// A variable that is `true`, `false`, or not set.
    fn switch(&self, name: &str) -> bool {
        let value = self.trim(name);
        match value.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.faults
                    .expected(name, "`true` or `false`")
                    .found(other)
                    .help("write `true`, or leave it out");
                false
            }
        }
    }

    /// The simple case of introspection: `OAUTH2_INTROSPECTION=true`, a client and its secret.
    fn introspection(&self) -> Option<IntrospectionConfig> {
        const SWITCH: &str = "OAUTH2_INTROSPECTION";
        let endpoint = self.trim("OAUTH2_INTROSPECTION_ENDPOINT");
        // An endpoint alone means a forgotten switch: every opaque token would be refused.
        if self.value(SWITCH).is_none() && endpoint.is_some() {
            let expected = "`true`, as `OAUTH2_INTROSPECTION_ENDPOINT` is set";
            self.faults
                .expected(SWITCH, expected)
                .found_nothing()
                .help("set it to `true`, or leave the endpoint out");
        }
        if !self.switch(SWITCH) {
            return None;
        }
        let client = ClientConfig {
            id: self.require_to_ask("OAUTH2_CLIENT_ID"),
            secret: self
                .require_to_ask("OAUTH2_CLIENT_SECRET")
                .map(Secret::new),
            ..ClientConfig::default()
        };
        Some(IntrospectionConfig {
            endpoint,
            client,
            ..IntrospectionConfig::default()
        })
    }

    fn require_to_ask(&self, name: &str) -> Option<String> {
        let value = self.value(name);
        if value.is_none() {
            self.faults
                .expected(name, "a value, as `OAUTH2_INTROSPECTION` is `true`")
                .found_nothing()
                .help("set it to what the issuer gave to this API's own client");
        }
        value
    }
}

/// The settings of the environment and, for what it does not hold, of `.env`. An argument of a
/// command wins over both.
pub(crate) fn read_process(
    argument: impl Fn(&str) -> Option<String>,
) -> Result<Config, ConfigErrors> {
    let file = dotenv(Path::new(".env"))?;
    let variable = |name: &str| {
        std::env::var(name)
            .ok()
            .or_else(|| file.get(name).cloned())
    };
    // The names alone: values of variables that are not ours are nobody's business here.
    let mut set: Vec<String> = file.keys().cloned().collect();
    // A name that is not UTF-8 is none of ours.
    set.extend(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()));
    // A variable may be in both places, and a fault is told once.
    set.sort();
    set.dedup();
    set.retain(|name| variable(name).is_some_and(|value| !value.trim().is_empty()));
    Ok(read_among(&set, |name| {
        argument(name).or_else(|| variable(name))
    }))
}

/// One variable of the environment, or else of `.env`.
///
/// # Errors
///
/// A `.env` that cannot be read.
pub(crate) fn one(name: &str) -> Result<Option<String>, ConfigErrors> {
    let file = dotenv(Path::new(".env"))?;
    // The environment wins, so that a deployment overrides a `.env` of development.
    Ok(std::env::var(name)
        .ok()
        .or_else(|| file.get(name).cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn missing_variables_are_named_all_at_once() {
        let errors = Config::from_variables(|_| None)
            .unwrap_err()
            .to_string();
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
    fn a_misspelled_variable_is_told_once() {
        let set = ["OAUTH2_AUDIANCE".to_owned(), "OAUTH2_ISSUER".to_owned()];
        let issuer = |name: &str| (name == "OAUTH2_ISSUER").then(|| "https://a".to_owned());
        let errors = Settings::try_from(read_among(&set, issuer)).unwrap_err();
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(errors.len() == 1, "{errors:?}");
        assert!(
            errors[0].starts_with("OAUTH2_AUDIENCE: expected a value, found only OAUTH2_AUDIANCE"),
            "{errors:?}"
        );
        // The argument of a command is another matter.
        let whole = |name: &str| issuer(name).or((name == "OAUTH2_AUDIENCE").then(|| "b".into()));
        let set = ["OAUTH2_SCOPES".to_owned()];
        let settings = Settings::try_from(read_among(&set, whole)).unwrap();
        let warnings: Vec<_> = settings
            .warnings()
            .iter()
            .map(|it| it.place())
            .collect();
        assert_eq!(warnings, ["OAUTH2_SCOPES"]);
    }

    #[test]
    fn help_names_variables_to_a_reader_who_sets_variables() {
        for (issuer, help) in [
            (
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                "set `OAUTH2_TENANT_ID` to the id of your tenant;",
            ),
            (
                "http://idp.example",
                "network, `OAUTH2_DANGER_PLAIN_HTTP=true` fetches",
            ),
            ("http://idp.example", "set `OAUTH2_JWKS_FILE`, or use TOML"),
            ("accounts", "set `OAUTH2_JWKS_FILE`, or use TOML"),
        ] {
            let config = of(&[("OAUTH2_ISSUER", issuer), ("OAUTH2_AUDIENCE", "a")]);
            let errors = Settings::try_from(config.unwrap()).unwrap_err();
            assert!(errors.to_string().contains(help), "{errors}");
            let toml = format!("[[issuer]]\nurl = \"{issuer}\"\naudience = \"a\"\n");
            let config = Config::from_toml(&toml).unwrap();
            let errors = Settings::try_from(config).unwrap_err().to_string();
            assert!(!errors.contains("set `OAUTH2"), "{errors}");
        }
    }

    #[test]
    fn audiences_are_a_list() {
        let config = of(&[("OAUTH2_ISSUER", "https://x"), ("OAUTH2_AUDIENCE", "a, b")]);
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
        assert!(
            with(&[client]).unwrap().issuer[0]
                .introspection
                .is_none()
        );
        assert!(
            with(&[("OAUTH2_INTROSPECTION", "false")])
                .unwrap()
                .issuer[0]
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
        assert_eq!(introspection.client.secret, Some(Secret::new("marked")));
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
