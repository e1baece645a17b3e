//! The names of variables: those that Portcullis reads, and those that look like them.

use super::document::nearest;
use portcullis_core::{ConfigError, Faults};

/// The variables that are read from the environment.
pub const VARIABLES: [&str; 14] = [
    "OAUTH2_ISSUER",
    "OAUTH2_AUDIENCE",
    "OAUTH2_TENANT_ID",
    "OAUTH2_PROFILE",
    "OAUTH2_ROLES_CLAIM",
    "OAUTH2_JWKS_FILE",
    "OAUTH2_PUBLIC_ORIGIN",
    "OAUTH2_DANGER_PLAIN_HTTP",
    "OAUTH2_INTROSPECTION",
    "OAUTH2_INTROSPECTION_ENDPOINT",
    "OAUTH2_CLIENT_ID",
    "OAUTH2_CLIENT_SECRET",
    "PORTCULLIS_STORE",
    "PORTCULLIS_CODE_URL",
];

const PREFIX: &str = "OAUTH2_";
/// What the command reads for itself.
const OF_CLIENTS: &str = "OAUTH2_CLIENT_ASSERTION_FILE";
const REQUIRED: [&str; 2] = ["OAUTH2_ISSUER", "OAUTH2_AUDIENCE"];

/// Whether a line about this variable is for Portcullis.
pub(super) fn is_ours(name: &str) -> bool {
    VARIABLES.contains(&name) || name.starts_with(PREFIX) && !is_foreign(name)
}

/// oauth2-proxy is often configured beside Portcullis.
fn is_foreign(name: &str) -> bool {
    name.starts_with("OAUTH2_PROXY_")
}

/// Notes variables that nothing reads. A misspelled restriction does not exist, so a name that
/// resembles one is a fault, unless the variable that it resembles is set as well.
pub(super) fn check(set: &[String], is_set: impl Fn(&str) -> bool, faults: &Faults) {
    for name in set.iter().filter(|name| is_unknown(name)) {
        match nearest_name(name) {
            // The fault of the missing variable names this one.
            Some(meant) if REQUIRED.contains(&meant) && !is_set(meant) => {}
            Some(meant) if !is_set(meant) && !is_of_client(name) => {
                faults.add(resembling(name, meant));
            }
            // Of another kind of software, perhaps: it is told, and nothing is refused.
            _ => faults
                .as_warnings()
                .wrong(name, "unknown: nothing of Portcullis reads it")
                .help("unset it, if no other software needs it"),
        }
    }
}

fn is_unknown(name: &str) -> bool {
    // `PORTCULLIS_...` are not among these: tests and tools have variables of their own there.
    is_ours(name) && !VARIABLES.contains(&name) && name != OF_CLIENTS
}

/// Other software names its clients in many ways, and they restrict no token.
fn is_of_client(name: &str) -> bool {
    name.starts_with("OAUTH2_CLIENT")
}

/// The name under which a missing variable is set.
pub(super) fn similar_name<'s>(variable: &str, set: &'s [String]) -> Option<&'s String> {
    set.iter()
        .find(|name| is_unknown(name) && nearest_name(name) == Some(variable))
}

/// The known variable that a name resembles.
fn nearest_name(name: &str) -> Option<&'static str> {
    // Without the prefix, which would make all of them alike.
    let bare = |name: &'static str| name.strip_prefix(PREFIX);
    let known: Vec<&str> = VARIABLES.into_iter().filter_map(bare).collect();
    let found = nearest(name.strip_prefix(PREFIX)?, &known)?;
    VARIABLES
        .into_iter()
        .find(|name| name.strip_prefix(PREFIX) == Some(found))
}

fn resembling(name: &str, meant: &str) -> ConfigError {
    ConfigError::wrong(name, format!("unknown; did you mean {meant}?")).help(format!(
        "rename it to `{meant}`; if it is for other software, set `{meant}` as well, or unset it \
         here"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of faults and of warnings.
    fn checked(set: &[&str]) -> (Vec<String>, Vec<String>) {
        let set: Vec<String> = set.iter().map(|name| (*name).to_owned()).collect();
        let faults = Faults::default();
        let is_set = |name: &str| set.iter().any(|other| other == name);
        check(&set, is_set, &faults);
        let warnings = faults.take_warnings();
        let texts = |list: Vec<ConfigError>| list.iter().map(ConfigError::message).collect();
        let places = warnings
            .iter()
            .map(|warning| warning.place().to_owned());
        (texts(faults.take_all()), places.collect())
    }

    #[test]
    fn a_name_that_resembles_a_known_one_is_a_fault() {
        for (name, meant) in [
            ("OAUTH2_TENANT", "OAUTH2_TENANT_ID"),
            ("OAUTH2_TENANTID", "OAUTH2_TENANT_ID"),
            ("OAUTH2_TENANTS", "OAUTH2_TENANT_ID"),
            ("OAUTH2_ROLE_CLAIM", "OAUTH2_ROLES_CLAIM"),
            ("OAUTH2_ROLES", "OAUTH2_ROLES_CLAIM"),
            ("OAUTH2_DANGER_PLAINHTTP", "OAUTH2_DANGER_PLAIN_HTTP"),
        ] {
            let (faults, warnings) = checked(&[name]);
            assert_eq!(
                faults,
                [format!("unknown; did you mean {meant}?")],
                "{name}"
            );
            assert!(warnings.is_empty());
            // The restriction is there, so the other name is another's.
            let (faults, warnings) = checked(&[name, meant]);
            assert!(faults.is_empty() && warnings == [name], "{faults:?}");
        }
    }

    #[test]
    fn a_name_for_a_required_variable_is_told_there() {
        for (name, meant) in [
            ("OAUTH2_ISSUER_URL", "OAUTH2_ISSUER"),
            ("OAUTH2_AUDIANCE", "OAUTH2_AUDIENCE"),
        ] {
            assert_eq!(checked(&[name]), (Vec::new(), Vec::new()));
            assert_eq!(similar_name(meant, &[name.to_owned()]).unwrap(), name);
            let (faults, warnings) = checked(&[name, meant]);
            assert!(faults.is_empty() && warnings == [name], "{faults:?}");
        }
    }

    #[test]
    fn other_names_are_a_warning_or_nothing() {
        for name in ["OAUTH2_SCOPES", "OAUTH2_REDIRECT_URI", "OAUTH2_CLIENT_NAME"] {
            let (faults, warnings) = checked(&[name]);
            assert!(faults.is_empty() && warnings == [name], "{faults:?}");
        }
        for name in VARIABLES.into_iter().chain([
            OF_CLIENTS,
            "OAUTH2_PROXY_CLIENT_ID",
            "PORTCULLIS_STATE_DIR",
            "TENANT_ID",
        ]) {
            assert_eq!(checked(&[name]), (Vec::new(), Vec::new()), "{name}");
        }
    }
}
