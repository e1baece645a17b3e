//! The settings that a token is checked against: of the arguments, the environment and `.env`.

use super::key_file::read_keys;
use crate::args::ExplainArguments;
use crate::exit::CommandError;
use portcullis_core::ConfigErrors;
use portcullis_core::dialect::DIALECTS;
use portcullis_core::rejection::quote;
use portcullis_resource_server::{Config, Settings};
use std::time::Duration;

/// The settings, or what is missing of them.
#[derive(Debug)]
pub(super) enum SettingsOrGap {
    Settings(Box<Settings>),
    /// What to name, if anything is missing.
    Gap(Option<&'static str>),
}

/// The settings, unless the arguments ask for the content alone. With a key set from a file,
/// nothing leaves the machine.
pub(super) fn of(arguments: &ExplainArguments) -> Result<SettingsOrGap, CommandError> {
    if arguments.decode {
        return Ok(SettingsOrGap::Gap(None));
    }
    if let Some(gap) = gap(arguments)? {
        return Ok(SettingsOrGap::Gap(Some(gap)));
    }
    let mut config = config(arguments)?;
    let Some(file) = &arguments.jwks else {
        return Ok(SettingsOrGap::Settings(Box::new(Settings::try_from(
            config,
        )?)));
    };
    // The revocation store and introspection would be asked over the network.
    config.revocation.store = None;
    let settings = Settings::try_from(config)?.without_questions();
    let settings = settings.with_fixed_keys(&read_keys(file)?);
    Ok(SettingsOrGap::Settings(Box::new(settings)))
}

/// What is missing to check anything.
fn gap(arguments: &ExplainArguments) -> Result<Option<&'static str>, ConfigErrors> {
    let is_set = |argument: &Option<String>, name| -> Result<bool, ConfigErrors> {
        Ok(argument.is_some() || Config::variable(name)?.is_some())
    };
    let issuer = is_set(&arguments.issuer, "OAUTH2_ISSUER")?;
    let audience = is_set(&arguments.audience, "OAUTH2_AUDIENCE")?;
    Ok(match (issuer, audience) {
        (true, true) => None,
        (false, true) => Some("the issuer to trust (--issuer, or OAUTH2_ISSUER)"),
        (true, false) => Some("the audience of your API (--audience, or OAUTH2_AUDIENCE)"),
        (false, false) => Some(
            "the issuer to trust (--issuer, or OAUTH2_ISSUER) and the audience of your API \
                (--audience, or OAUTH2_AUDIENCE)",
        ),
    })
}

fn config(arguments: &ExplainArguments) -> Result<Config, ConfigErrors> {
    Config::from_env_below(|name| match name {
        "OAUTH2_ISSUER" => arguments.issuer.clone(),
        "OAUTH2_AUDIENCE" => arguments.audience.clone(),
        "OAUTH2_PROFILE" => arguments.profile.clone(),
        _ => None,
    })
}

/// The error of a profile that is not known.
pub(super) fn no_profile(name: &str) -> CommandError {
    let names: Vec<&str> = DIALECTS.iter().map(|dialect| dialect.name).collect();
    let message = format!("--profile: expected a known profile, found {}", quote(name));
    CommandError::could_not_run(message).help(format!("the profiles are {}", names.join(", ")))
}

/// Longer than a provider may take: each request ends after five seconds by itself.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
