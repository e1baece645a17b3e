//! Where settings came from, and which of their faults are to be told.

use super::environment::Variable;
use portcullis_core::{ConfigError, ConfigErrors, Faults};
use std::fmt;

/// Where settings were read from. The default is a program that made them.
///
/// It keeps the faults of their form and the places that could not be read, so that faults of
/// meaning are told beside them, and none that only follows from them.
#[derive(Clone, Default)]
pub struct ConfigOrigin {
    variables: Vec<Variable>,
    removed: Vec<String>,
    faults: Vec<ConfigError>,
    warnings: Vec<ConfigError>,
    is_environment: bool,
}

/// Shows nothing: variables may hold secrets.
impl fmt::Debug for ConfigOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfigOrigin")
    }
}

impl ConfigOrigin {
    pub(super) fn of_document(
        variables: Vec<Variable>,
        removed: Vec<String>,
        faults: Vec<ConfigError>,
    ) -> Self {
        Self {
            variables,
            removed,
            faults,
            warnings: Vec::new(),
            is_environment: false,
        }
    }

    /// Settings of a few variables. What is at fault has no value.
    pub(super) fn of_environment(notes: &Faults) -> Self {
        let faults = notes.take_all();
        let mut removed = Vec::new();
        for fault in &faults {
            let places = VARIABLES_OF
                .iter()
                .filter(|(_, name)| *name == fault.place());
            removed.extend(places.map(|(place, _)| (*place).to_owned()));
        }
        Self {
            variables: Vec::new(),
            removed,
            faults,
            warnings: notes.take_warnings(),
            is_environment: true,
        }
    }

    /// Whether everything could be read.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }

    /// Takes over what could not be read of the rest of the same document, and its variables.
    pub fn join(&mut self, other: &Self) {
        self.removed.extend_from_slice(&other.removed);
        self.variables.extend_from_slice(&other.variables);
    }

    /// All faults that are to be told: those of the form, and those of meaning that stand by
    /// themselves. The list is empty afterwards.
    ///
    /// # Errors
    ///
    /// The faults, if there are any. Values of variables are not in them.
    pub fn judge(&self, faults: &Faults) -> Result<(), ConfigErrors> {
        let mut told = self.faults.clone();
        for fault in faults.take_all() {
            if self
                .removed
                .iter()
                .any(|place| fault.follows_from(place))
            {
                continue;
            }
            let fault = self.as_written(fault);
            if !told.contains(&fault) {
                told.push(fault);
            }
        }
        ConfigErrors::check(told)
    }

    /// All warnings: those of the form, and those of meaning. The list is empty afterwards.
    pub(crate) fn warnings(&self, faults: &Faults) -> Vec<ConfigError> {
        let mut warnings = self.warnings.clone();
        for warning in faults.take_warnings() {
            warnings.push(self.as_written(warning));
        }
        warnings
    }

    /// The fault at the place where the reader wrote it, without the values of variables.
    pub fn as_written(&self, fault: ConfigError) -> ConfigError {
        let mut fault = fault;
        for variable in &self.variables {
            // Faults end in logs, and a value may be a secret.
            fault = fault.rewrite(|text| variable.hide(text));
        }
        if !self.is_environment {
            return fault;
        }
        let fault = fault.rewrite(in_variables);
        match variable_of(fault.place()) {
            Some(name) => fault.with_place(name),
            None => fault,
        }
    }
}

/// Advice about TOML members, and the same for a reader who sets variables.
const ADVICE: [(&str, &str); 4] = [
    (
        "write `tenant`, or `tenants`, or `danger_any_tenant = true`, and one of them only",
        "set `OAUTH2_TENANT_ID` to the id of your tenant; several tenants need TOML settings with \
         `tenants`",
    ),
    (
        "`danger_plain_http = true` (`OAUTH2_DANGER_PLAIN_HTTP=true`)",
        "`OAUTH2_DANGER_PLAIN_HTTP=true`",
    ),
    (
        "write `jwks_uri`, `jwks_file` or `metadata_url` beside it",
        "set `OAUTH2_JWKS_FILE`, or use TOML settings with `jwks_uri` or `metadata_url`",
    ),
    (
        "write `jwks_uri` or `metadata_url` beside it",
        "set `OAUTH2_JWKS_FILE`, or use TOML settings with `jwks_uri` or `metadata_url`",
    ),
];

fn in_variables(text: &str) -> String {
    let mut text = text.to_owned();
    for (toml, variables) in ADVICE {
        text = text.replace(toml, variables);
    }
    text
}

/// The settings that a variable stands for; the first that is a beginning of the place counts.
const VARIABLES_OF: [(&str, &str); 13] = [
    ("issuer[0].audience", "OAUTH2_AUDIENCE"),
    ("issuer[0].tenant", "OAUTH2_TENANT_ID"),
    ("issuer[0].profile", "OAUTH2_PROFILE"),
    ("issuer[0].roles", "OAUTH2_ROLES_CLAIM"),
    ("issuer[0].jwks_file", "OAUTH2_JWKS_FILE"),
    ("issuer[0].danger_plain_http", "OAUTH2_DANGER_PLAIN_HTTP"),
    (
        "issuer[0].introspection.endpoint",
        "OAUTH2_INTROSPECTION_ENDPOINT",
    ),
    ("issuer[0].introspection.client_id", "OAUTH2_CLIENT_ID"),
    (
        "issuer[0].introspection.client_secret",
        "OAUTH2_CLIENT_SECRET",
    ),
    ("issuer[0].introspection", "OAUTH2_INTROSPECTION"),
    ("issuer[0].url", "OAUTH2_ISSUER"),
    ("revocation.store", "PORTCULLIS_STORE"),
    ("code_url", "PORTCULLIS_CODE_URL"),
];

/// The variable by which a setting was written.
fn variable_of(place: &str) -> Option<&'static str> {
    for (setting, name) in VARIABLES_OF {
        if place.starts_with(setting) {
            return Some(name);
        }
    }
    match place {
        _ if place.starts_with("issuer") => Some("OAUTH2_ISSUER"),
        _ if place.starts_with("revocation") => Some("PORTCULLIS_STORE"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_at_the_variable_it_came_from() {
        for (place, name) in [
            ("issuer[0].url", Some("OAUTH2_ISSUER")),
            ("issuer[0].tenants", Some("OAUTH2_TENANT_ID")),
            (
                "issuer[0].introspection.client_secret_file",
                Some("OAUTH2_CLIENT_SECRET"),
            ),
            ("issuer[0].claims", Some("OAUTH2_ISSUER")),
            ("HTTPS_PROXY", None),
        ] {
            assert_eq!(variable_of(place), name, "{place}");
        }
    }
}
