//! The settings file of a server, as the server itself would read it.

use super::key_file::read_keys;
use super::settings::PATIENCE;
use crate::command::config::failure;
use crate::exit::CommandError;
use portcullis_core::ConfigErrors;
use portcullis_gateway::{Config, RequestExplainer, Settings, line_of, text};
use portcullis_resource_server::clock::{Clock, SystemClock};
use std::path::Path;
use std::sync::Arc;

/// Where a settings file is expected.
const USUAL_FILE: &str = "portcullis.toml";

/// A settings file, ready for questions.
pub(super) struct GatewayFile {
    pub(super) explainer: RequestExplainer,
    text: String,
}

impl GatewayFile {
    /// Reads a settings file. With a key set from a file, nothing leaves the machine.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, and all faults in it.
    pub(super) fn read(path: &Path, jwks: Option<&Path>) -> Result<Self, CommandError> {
        let text = text(path)?;
        let explainer = Self::explainer(&text, jwks)?;
        let explainer = explainer.map_err(|errors| failure(path, &text, &errors))?;
        Ok(Self { explainer, text })
    }

    /// The outer errors are those of the key set.
    fn explainer(
        text: &str,
        jwks: Option<&Path>,
    ) -> Result<Result<RequestExplainer, ConfigErrors>, CommandError> {
        let keys = jwks.map(read_keys).transpose()?;
        let settings = read_config(text).and_then(|mut config| {
            if keys.is_some() {
                config.resource_server.revocation.store = None;
            }
            judge(config)
        });
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Ok(settings.and_then(|settings| {
            let settings = match &keys {
                Some(keys) => settings.with_fixed_keys(keys),
                None => settings.with_patience(PATIENCE),
            };
            RequestExplainer::new(settings, &clock)
        }))
    }

    /// The line of the route of this index.
    pub(super) fn line_of_route(&self, index: usize) -> Option<usize> {
        line_of(&self.text, &format!("route[{index}]"))
    }
}

/// A file without any door is that of an application, which decides inside itself.
fn judge(config: Config) -> Result<Settings, ConfigErrors> {
    let tables = &config.gateway;
    if tables.gateway.is_none() && tables.forward_auth.is_none() && tables.ext_authz.is_none() {
        return Settings::for_application(config);
    }
    Settings::try_from(config)
}

fn read_config(text: &str) -> Result<Config, ConfigErrors> {
    // For applications first: it finds fault with nothing that only a gateway needs.
    Config::for_application(text)
}

/// Mentions a settings file in this folder. It is not picked up: the environment was meant.
pub(super) fn with_settings_nearby(error: CommandError) -> CommandError {
    match settings_nearby() {
        // An error with a cure of its own is not about missing settings.
        Some(argument) if !error.has_help() => error.help(format!(
            "`{argument}` takes the settings of the file in this folder"
        )),
        _ => error,
    }
}

/// The argument that takes the settings file in this folder, if there is one.
pub(super) fn settings_nearby() -> Option<String> {
    let is_there = Path::new(USUAL_FILE).is_file();
    is_there.then(|| format!("--config {USUAL_FILE}"))
}
