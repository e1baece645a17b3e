//! `portcullis config`: the settings checked, or begun.

mod check;
mod comparison;
mod comparison_page;
mod diff;
mod init;
mod online;
mod openapi;
mod plan;
mod source;
mod starter;
mod summary;

pub(crate) use source::SettingsSource;
pub(crate) use summary::page as summary_page;

use crate::args::{ConfigAction, ConfigArguments};
use crate::exit::{CommandError, Exit};
use crate::output::print;
use portcullis_core::ConfigErrors;
use portcullis_gateway::{Config, cedar_schema, excerpts, schema, text};
use std::path::Path;

pub(crate) async fn run(arguments: ConfigArguments) -> Result<Exit, CommandError> {
    match &arguments.action {
        ConfigAction::Check {
            file,
            config,
            online,
            without_files,
            openapi,
            host,
        } => {
            let path = file.as_deref().or(config.as_deref());
            let checks = check::Checks {
                online: *online,
                files: !*without_files,
                openapi: openapi.as_deref(),
                host: host.as_deref(),
            };
            check::run(path.unwrap_or(Path::new(source::FILE)), &checks).await
        }
        ConfigAction::Diff { old, new } => diff::run(old, new),
        ConfigAction::Init {
            issuer,
            audience,
            upstream,
            config,
            from_openapi,
        } => {
            let values = starter::StarterValues {
                issuer: issuer.clone(),
                audience: audience.clone(),
                upstream: upstream.clone(),
            };
            init::run(config, from_openapi.as_deref(), &values)
        }
        ConfigAction::Schema { cedar: false, .. } => {
            print(&schema())?;
            Ok(Exit::Fine)
        }
        ConfigAction::Schema {
            cedar: true,
            config,
        } => {
            // Only the form is read: policies that do not fit yet are why the schema is wanted.
            print(&cedar_schema(&Config::from_toml(&text(config)?)?))?;
            Ok(Exit::Fine)
        }
    }
}

/// Everything that is wrong with a settings file, each fault shown in its line.
pub(crate) fn failure(path: &Path, text: &str, errors: &ConfigErrors) -> CommandError {
    let excerpts = excerpts(&path.display().to_string(), text, errors);
    let count = errors.count();
    CommandError::could_not_run(format!(
        "{count} in the settings:\n\n{}",
        excerpts.trim_end()
    ))
}

/// Everything that is wrong with settings that are in no file.
fn failure_of(errors: &ConfigErrors) -> CommandError {
    let mut faults = Vec::new();
    for fault in errors.iter() {
        let (place, message) = (fault.place(), fault.message());
        faults.push(format!("{place}: {message}\n    help: {}", fault.help()));
    }
    let (count, faults) = (errors.count(), faults.join("\n\n"));
    CommandError::could_not_run(format!("{count} in the settings:\n\n{faults}"))
}
