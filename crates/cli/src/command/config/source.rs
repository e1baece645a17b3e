//! Where the settings of a server come from: a file, or the environment; and what the command line
//! says in their place.

use super::{failure, failure_of};
use crate::exit::CommandError;
use portcullis_core::{ConfigErrors, Faults};
use portcullis_gateway::{Config, Overrides, Settings, text};
use portcullis_resource_server::config::VARIABLES;
use std::path::{Path, PathBuf};

/// The file that is read unless another one is named.
pub(super) const FILE: &str = "portcullis.toml";

/// Where the settings are.
#[derive(Debug)]
pub(crate) enum SettingsSource {
    File(PathBuf),
    Environment,
}

impl SettingsSource {
    /// The named file, else the usual one, else the environment, if it names an issuer.
    ///
    /// # Errors
    ///
    /// There are no settings at all.
    pub(crate) fn choose(named: Option<PathBuf>) -> Result<Self, CommandError> {
        if let Some(path) = named {
            return Ok(Self::File(path));
        }
        // A file that cannot be looked at is read, so that its fault is told.
        if Path::new(FILE).try_exists().unwrap_or(true) {
            return Ok(Self::File(FILE.into()));
        }
        // One of them is enough: the fault of the other one names it better than "no settings".
        for name in ["OAUTH2_ISSUER", "OAUTH2_AUDIENCE"] {
            // A faulty `.env` is told when it is read: it may hold what seems to be missing.
            let value = portcullis_resource_server::Config::variable(name);
            if value.is_err() || variable(name).is_some() {
                return Ok(Self::Environment);
            }
        }
        let message = format!(
            "no settings: expected the file `{FILE}`, or the variables OAUTH2_ISSUER and \
             OAUTH2_AUDIENCE, found neither"
        );
        Err(CommandError::could_not_run(message).help(
            "`portcullis config init` writes a file; without one, set both variables and pass \
             `--upstream`",
        ))
    }

    /// The file, if there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Environment => None,
        }
    }

    /// The settings, or everything that is wrong with them.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, and all faults.
    pub(crate) fn read(&self, overrides: &Overrides) -> Result<Settings, CommandError> {
        let Self::File(path) = self else {
            return of_environment(overrides)
                .map_err(|errors| failure_of(&name(errors, overrides)));
        };
        let text = text(path)?;
        let config = Config::from_toml_with(&text, overrides);
        let settings = config.and_then(Settings::try_from);
        settings.map_err(|errors| failure(path, &text, &name(errors, overrides)))
    }

    /// Reads the files that a start of the gateway needs.
    ///
    /// # Errors
    ///
    /// Every file by which the start would fail, in the line of its setting.
    pub(crate) fn check_files(&self, settings: &Settings) -> Result<(), CommandError> {
        settings.check_files().map_err(|errors| match self {
            Self::File(path) => failure(path, &text(path).unwrap_or_default(), &errors),
            Self::Environment => failure_of(&errors),
        })
    }

    /// A warning of variables that are set, and count for nothing because there is a file.
    pub(crate) fn ignored_variables(&self) -> Option<String> {
        let path = self.path()?;
        let text = text(path).ok()?;
        let mut ignored = Vec::new();
        for name in VARIABLES {
            // A client is what `portcullis token` needs, so it is no sign of a mistake here.
            if name.starts_with("OAUTH2_CLIENT") {
                continue;
            }
            // The file uses the variable, or says the same.
            let is_missing = |value: &String| {
                !text.contains(name) && !text.contains(&format!("\"{}\"", value.trim()))
            };
            if variable(name).is_some_and(|value| is_missing(&value)) {
                ignored.push(name);
            }
        }
        if ignored.is_empty() {
            return None;
        }
        let file = path.display();
        Some(format!(
            "{}: set in the environment or in `.env`, and not used, because {file} has the \
             settings; write `\"${{{}}}\"` there where the variable should count, or unset it",
            ignored.join(", "),
            ignored.first().copied().unwrap_or_default(),
        ))
    }
}

/// A variable that is set, and not blank.
fn variable(name: &str) -> Option<String> {
    // A `.env` that cannot be read is told where it is needed.
    let value = portcullis_resource_server::Config::variable(name);
    let value = value.ok().flatten()?;
    (!value.trim().is_empty()).then_some(value)
}

fn of_environment(overrides: &Overrides) -> Result<Settings, ConfigErrors> {
    let faults = Faults::default();
    let tokens = faults.note(portcullis_resource_server::Config::from_env());
    // Noted beside the other faults: one run should show all that is missing.
    if overrides.upstream.is_none() {
        faults
            .expected("--upstream", "where requests go")
            .found_nothing()
            .help("pass the address of the API: `--upstream localhost:3000`");
    }
    let tokens = faults.finish(tokens)?;
    Settings::try_from(Config::from(tokens).with_overrides(overrides))
}

/// The faults at the places where their values were written: on the command line.
fn name(errors: ConfigErrors, overrides: &Overrides) -> ConfigErrors {
    errors.map(|fault| match fault.place() {
        "gateway.listen" if overrides.listen.is_some() => fault.with_place("--listen"),
        "gateway.upstream" if overrides.upstream.is_some() => fault.with_place("--upstream"),
        _ => fault,
    })
}
