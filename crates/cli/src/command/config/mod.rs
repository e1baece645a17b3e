//! `portcullis config`: the settings checked, or begun.

use crate::args::{ConfigAction, ConfigArguments};
use crate::exit::{CommandError, Exit};
use crate::output::{GOOD, paint, print};
use portcullis_core::ConfigErrors;
use portcullis_gateway::{Config, STARTER, Settings, cedar_schema, excerpts, schema, text};
use portcullis_provider::fetch::Proxies;
use std::io::Write as _;
use std::path::Path;

pub(crate) fn run(arguments: &ConfigArguments) -> Result<Exit, CommandError> {
    match &arguments.action {
        ConfigAction::Check { config } => check(config),
        ConfigAction::Init { config } => init(config),
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

fn check(path: &Path) -> Result<Exit, CommandError> {
    let settings = settings(path)?;
    print(&format!(
        "{} {} is in order.\n\n{settings}",
        paint(GOOD, "ok"),
        path.display()
    ))?;
    for warning in settings.warnings() {
        print(&format!("  WARNING    {warning}\n"))?;
    }
    let proxies = Proxies::of_environment();
    // Proxies come from the environment, so no line of the file explains why a fetch goes there.
    if !proxies.is_empty() {
        print(&format!("\noutside hosts through a proxy: {proxies}\n"))?;
    }
    Ok(Exit::Fine)
}

fn init(path: &Path) -> Result<Exit, CommandError> {
    if path == Path::new("-") {
        print(STARTER)?;
        return Ok(Exit::Fine);
    }
    let told =
        |error: std::io::Error| CommandError::could_not_run(format!("{}: {error}", path.display()));
    // One call checks and creates: in a gap between, another program could write the file.
    let mut file = std::fs::File::create_new(path).map_err(told)?;
    file.write_all(STARTER.as_bytes()).map_err(told)?;
    let name = path.display();
    print(&format!(
        "{name} is written. Put your issuer and your API into it, then:\n\n"
    ))?;
    print(&format!(
        "      portcullis config check --config {name}\n      portcullis serve --config {name}\n"
    ))?;
    Ok(Exit::Fine)
}
