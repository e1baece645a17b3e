//! `portcullis config`: the settings checked, or begun.

mod check;
mod comparison;
mod comparison_page;
mod init;
mod openapi;
mod plan;
mod starter;

use crate::args::{ConfigAction, ConfigArguments};
use crate::exit::{CommandError, Exit};
use crate::output::print;
use portcullis_core::ConfigErrors;
use portcullis_gateway::{Config, Settings, cedar_schema, excerpts, schema, text};
use std::path::Path;

pub(crate) fn run(arguments: &ConfigArguments) -> Result<Exit, CommandError> {
    match &arguments.action {
        ConfigAction::Check {
            config,
            openapi,
            host,
        } => check::run(config, openapi.as_deref(), host.as_deref()),
        ConfigAction::Init {
            config,
            from_openapi,
        } => init::run(config, from_openapi.as_deref()),
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

/// The settings of a file, or everything that is wrong with them, each fault shown in its line.
pub(crate) fn settings(path: &Path) -> Result<Settings, CommandError> {
    let text = text(path)?;
    let settings = Config::from_toml(&text).and_then(Settings::try_from);
    settings.map_err(|errors| failure(path, &text, &errors))
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
