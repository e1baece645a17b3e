//! The whole document, read once: the faults of its form and of its meaning at once.

use crate::config::{Config, Overrides, Tables};
use crate::settings::Settings;
use portcullis_core::ConfigErrors;
use portcullis_resource_server::config::{ConfigOrigin, DOORS, Document};

impl Config {
    /// Reads a TOML document.
    ///
    /// # Errors
    ///
    /// What cannot be read, with its line, among the issuers' members and the gateway's; and beside
    /// it what is wrong with the rest.
    pub fn from_toml(text: &str) -> Result<Self, ConfigErrors> {
        Self::read(text, Settings::try_from)
    }

    /// Reads a TOML document, some settings of which are given elsewhere.
    ///
    /// # Errors
    ///
    /// As for [`from_toml`](Self::from_toml).
    pub fn from_toml_with(text: &str, overrides: &Overrides) -> Result<Self, ConfigErrors> {
        // Judged with the overrides: a file may lack what the command line says.
        let judge = |config: Self| Settings::try_from(config.with_overrides(overrides));
        Ok(Self::read(text, judge)?.with_overrides(overrides))
    }

    /// Reads a TOML document for [an application](Settings::for_application).
    ///
    /// # Errors
    ///
    /// As for [`from_toml`](Self::from_toml), but nothing about an upstream that is missing.
    pub fn for_application(text: &str) -> Result<Self, ConfigErrors> {
        Self::read(text, Settings::for_application)
    }

    fn read(
        text: &str,
        judge: impl Fn(Self) -> Result<Settings, ConfigErrors>,
    ) -> Result<Self, ConfigErrors> {
        let document = Document::parse(text)?;
        let tokens = portcullis_resource_server::Config::of_document(&document);
        let tables = document.read::<Tables>(|name| DOORS.contains(&name));
        let mut resource_server = tokens.value;
        let mut origin = tables.origin;
        // `[gatewy]` is an unknown table on the other side, and why there is no `[gateway]` here.
        origin.join(&tokens.origin);
        let is_whole = origin.is_whole() && tokens.origin.is_whole();
        resource_server.origin = tokens.origin;
        let config = Self {
            resource_server,
            gateway: tables.value,
            token_settings: tokens.table,
            origin,
        };
        if is_whole {
            return Ok(config);
        }
        // What could be read is judged all the same, so that one round shows every fault.
        match judge(config.clone()) {
            Err(errors) => Err(errors),
            Ok(_) => Ok(config),
        }
    }
}

/// The settings of a resource server, without any table of the gateway.
impl From<portcullis_resource_server::Config> for Config {
    fn from(resource_server: portcullis_resource_server::Config) -> Self {
        Self {
            resource_server,
            gateway: Tables::default(),
            token_settings: toml::Table::new(),
            origin: ConfigOrigin::default(),
        }
    }
}
