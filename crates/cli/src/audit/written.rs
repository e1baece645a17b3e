//! Our own settings, as the gateway reads them, for the rules about them.

use super::Place;
use portcullis_core::ConfigErrors;
use portcullis_gateway::{Config, GatewayConfig, RouteConfig, Settings, line_of};
use std::path::{Path, PathBuf};

/// A settings file that is free of faults.
#[derive(Debug)]
pub(crate) struct Written {
    /// Its name.
    pub(crate) file: String,
    text: String,
    pub(crate) config: Config,
    /// The settings that loosen security and are switched on, with where they stand.
    pub(crate) dangers: Vec<String>,
    /// The files that the settings name, and who else may do what with them.
    pub(crate) files: Vec<FileSeen>,
}

/// One thing in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The setting: `route[2].path`.
    pub(crate) place: String,
    pub(crate) evidence: String,
}

/// A file that the settings name.
#[derive(Clone, Debug)]
pub(crate) struct FileSeen {
    pub(crate) place: String,
    pub(crate) path: PathBuf,
    /// Whether it holds a secret; else it is one that must not be changed.
    pub(crate) secret: bool,
    /// Its mode; nothing where there is no such file, which is for the start to find.
    pub(crate) mode: Option<u32>,
}

impl Spot {
    pub(super) fn new(place: impl Into<String>, evidence: impl Into<String>) -> Self {
        Self { place: place.into(), evidence: evidence.into() }
    }
}

impl Written {
    /// Reads settings; what is wrong with them is told as the gateway tells it.
    pub(crate) fn read(
        file: &Path,
        text: String,
        mode: impl Fn(&Path) -> Option<u32>,
    ) -> Result<Self, ConfigErrors> {
        let config = Config::from_toml(&text)?;
        Settings::try_from(config.clone())?;
        let document: toml::Table = text.parse().unwrap_or_default();
        let mut dangers = Vec::new();
        collect_dangers("", &toml::Value::Table(document), &mut dangers);
        let files =
            files(&config).into_iter().map(|file| FileSeen { mode: mode(&file.path), ..file }).collect();
        Ok(Self { file: file.display().to_string(), text, config, dangers, files })
    }

    /// Where a setting is.
    pub(crate) fn place(&self, setting: &str) -> Place {
        Place { file: self.file.clone(), setting: setting.to_owned(), line: line_of(&self.text, setting) }
    }

    /// The table `[gateway]`.
    pub(super) fn gateway(&self) -> Option<&GatewayConfig> {
        self.config.gateway.gateway.as_ref()
    }

    /// The routes, each with its place.
    pub(super) fn routes(&self) -> impl Iterator<Item = (String, &RouteConfig)> {
        let routes = self.config.gateway.route.iter().enumerate();
        routes.map(|(index, route)| (format!("route[{index}]"), route))
    }
}

/// Every member that begins with `danger_` and is not false, wherever it stands: whoever adds one need not add a rule.
fn collect_dangers(place: &str, value: &toml::Value, found: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                if name.starts_with("danger_") && value.as_bool() != Some(false) {
                    found.push(place);
                } else {
                    collect_dangers(&place, value, found);
                }
            }
        }
        toml::Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                collect_dangers(&format!("{place}[{index}]"), value, found);
            }
        }
        _ => {}
    }
}

/// The files with secrets, and those that decide what is trusted.
fn files(config: &Config) -> Vec<FileSeen> {
    let mut files = Vec::new();
    let mut add = |place: String, path: Option<&PathBuf>, secret: bool| {
        files.extend(path.map(|path| FileSeen { place, path: path.clone(), secret, mode: None }));
    };
    for (index, issuer) in config.resource_server.issuer.iter().enumerate() {
        let at = |member: &str| format!("issuer[{index}].{member}");
        add(at("fetch_token_file"), issuer.fetch_token_file.as_ref(), true);
        add(at("ca_file"), issuer.ca_file.as_ref(), false);
        add(at("key_snapshot"), issuer.key_snapshot.as_ref(), false);
        if let Some(asked) = &issuer.introspection {
            add(at("introspection.client_secret_file"), asked.client_secret_file.as_ref(), true);
            add(at("introspection.private_key_file"), asked.private_key_file.as_ref(), true);
        }
        if let Some(asked) = &issuer.groups_lookup {
            add(at("groups_lookup.client_secret_file"), asked.client_secret_file.as_ref(), true);
            add(at("groups_lookup.private_key_file"), asked.private_key_file.as_ref(), true);
        }
    }
    let tables = &config.gateway;
    add(
        "revocation.store_url_file".to_owned(),
        config.resource_server.revocation.store_url_file.as_ref(),
        true,
    );
    add("log.audit_key".to_owned(), tables.log.audit_key.as_ref(), true);
    let own = tables.gateway.as_ref().and_then(|gateway| gateway.tls.as_ref());
    add("gateway.tls.key".to_owned(), own.map(|tls| &tls.key), true);
    add(
        "gateway.tls.client_authorities".to_owned(),
        own.and_then(|tls| tls.client_authorities.as_ref()),
        false,
    );
    let asked = tables.forward_auth.as_ref().and_then(|door| door.tls.as_ref());
    add("forward_auth.tls.key".to_owned(), asked.map(|tls| &tls.key), true);
    let asked = tables.ext_authz.as_ref().and_then(|door| door.tls.as_ref());
    add("ext_authz.tls.key".to_owned(), asked.map(|tls| &tls.key), true);
    add(
        "ext_authz.tls.client_authorities".to_owned(),
        asked.and_then(|tls| tls.client_authorities.as_ref()),
        false,
    );
    for (index, upstream) in tables.upstream.iter().enumerate() {
        add(format!("upstream[{index}].authorities"), upstream.authorities.as_ref(), false);
    }
    files
}
