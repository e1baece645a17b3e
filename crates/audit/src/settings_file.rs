//! Our own settings, as the gateway reads them, for the rules about them.

use crate::place::SettingPlace;
use portcullis_core::ConfigErrors;
use portcullis_gateway::{Config, GatewayConfig, RouteConfig, Settings, line_of};
use portcullis_resource_server::config::Document;
use std::path::{Path, PathBuf};

/// A settings file that is free of faults.
#[derive(Debug)]
pub struct SettingsFile {
    /// Its name, as it was given.
    pub file: String,
    text: String,
    pub(crate) config: Config,
    /// The settings that loosen security and are switched on, with where they stand.
    pub(crate) dangers: Vec<String>,
    /// The files that the settings name, with their modes.
    pub(crate) files: Vec<NamedFile>,
}

/// A file that the settings name.
#[derive(Clone, Debug)]
pub(crate) struct NamedFile {
    pub(crate) setting: String,
    pub(crate) path: PathBuf,
    /// Whether it holds a secret; else it is one that must not be changed.
    pub(crate) secret: bool,
    /// Its mode; nothing if there is no such file, which the start of the gateway finds.
    pub(crate) mode: Option<u32>,
}

impl SettingsFile {
    /// Reads settings, with the variables in them. `mode` is asked for the mode of each file that
    /// the settings name.
    ///
    /// # Errors
    ///
    /// The faults in the settings, as the gateway finds them.
    pub fn read(
        file: &Path,
        text: String,
        mode: impl Fn(&Path) -> Option<u32>,
    ) -> Result<Self, ConfigErrors> {
        let config = Config::from_toml(&text)?;
        // Rules judge only settings that the gateway would start with.
        Settings::try_from(config.clone())?;
        // The typed settings have lost the names of their members, so the document is read too.
        let document = toml::Value::Table(document(&text));
        let (dangers, files) = (dangers(&document), files(&document, mode));
        Ok(Self {
            file: file.display().to_string(),
            text,
            config,
            dangers,
            files,
        })
    }

    /// The settings as they are written.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The settings that loosen security, by place: every one whose name begins with `danger_`.
    pub fn dangers(&self) -> &[String] {
        &self.dangers
    }

    /// The place of a setting, with its line.
    #[must_use]
    pub fn place(&self, setting: &str) -> SettingPlace {
        SettingPlace {
            file: self.file.clone(),
            setting: setting.to_owned(),
            line: line_of(&self.text, setting),
        }
    }

    /// The table `[gateway]`.
    pub(crate) fn gateway(&self) -> Option<&GatewayConfig> {
        self.config.gateway.gateway.as_ref()
    }

    /// The routes, each with its place.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (String, &RouteConfig)> {
        let routes = self.config.gateway.route.iter().enumerate();
        routes.map(|(index, route)| (format!("route[{index}]"), route))
    }
}

/// Calls with every member of the document that is not a table, and with its place. A new setting
/// is found without a rule of its own.
fn each_member(
    place: &str,
    name: &str,
    value: &toml::Value,
    visit: &mut dyn FnMut(&str, &str, &toml::Value),
) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                // An operator may name a claim `key` or `danger_x`: there it is data, not a
                // setting.
                if FREE_TABLES.contains(&name.as_str()) {
                    continue;
                }
                let place = if place.is_empty() {
                    name.clone()
                } else {
                    format!("{place}.{name}")
                };
                each_member(&place, name, value, visit);
            }
        }
        toml::Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                // Elements go by the name of their list, so that each file in `keys` counts.
                each_member(&format!("{place}[{index}]"), name, value, visit);
            }
        }
        value => visit(place, name, value),
    }
}

/// The document with the values of variables, as a server reads it.
fn document(text: &str) -> toml::Table {
    match Document::parse(text) {
        // Every table is read, those of the gateway too: files are named in all of them.
        Ok(document) => document.read::<toml::Table>(|_| true).value,
        // The typed settings were read from the same text before, so this arm is never reached.
        Err(_) => toml::Table::new(),
    }
}

/// Tables whose members are the names of claims, headers and roles, so not settings.
const FREE_TABLES: &[&str] = &["claim", "claims", "headers", "role_includes"];

/// Members that name a file with a secret, or with several.
const SECRETS: &[&str] = &[
    "audit_key",
    "authorization_file",
    "client_assertion_file",
    "client_secret_file",
    "nonce_secret_file",
    "fetch_token_file",
    "key",
    "keys",
    "private_key_file",
    "store_url_file",
];

/// Members that name a file which decides what is trusted, or who may do what.
const TRUST: &[&str] = &[
    "authorities",
    "ca_file",
    "client_authorities",
    "jwks_file",
    "key_snapshot",
    "policies",
];

/// The settings that loosen security and are not false.
fn dangers(document: &toml::Value) -> Vec<String> {
    let mut dangers = Vec::new();
    each_member("", "", document, &mut |place, name, value| {
        // A danger may be a list or a number as well, so only an explicit `false` is safe.
        if name.starts_with("danger_") && value.as_bool() != Some(false) {
            dangers.push(place.to_owned());
        }
    });
    dangers
}

fn files(document: &toml::Value, mode: impl Fn(&Path) -> Option<u32>) -> Vec<NamedFile> {
    let mut files = Vec::new();
    each_member("", "", document, &mut |place, name, value| {
        let secret = SECRETS.contains(&name);
        let Some(path) = value.as_str().map(PathBuf::from) else {
            return;
        };
        if secret || TRUST.contains(&name) {
            files.push(NamedFile {
                setting: place.to_owned(),
                secret,
                mode: mode(&path),
                path,
            });
        }
    });
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file that can be named is one of the two kinds, or is no matter: a new setting has to
    /// be thought about.
    #[test]
    fn every_file_of_the_settings_is_known() {
        let schema: serde_json::Value =
            serde_json::from_str(&portcullis_gateway::schema()).unwrap();
        let mut named = std::collections::BTreeSet::new();
        collect(&schema, &mut named);
        // Certificates of one's own are public, and the audit record is written.
        let known: Vec<&str> = [SECRETS, TRUST, &["certificate", "certificate_file"]].concat();
        let unknown: Vec<&String> = named
            .iter()
            .filter(|name| !known.contains(&name.as_str()))
            .collect();
        assert!(unknown.is_empty(), "secret, or trusted? {unknown:?}");
        assert!(named.len() >= 12, "{named:?}");
    }

    /// The members whose text says that they name files.
    fn collect(schema: &serde_json::Value, named: &mut std::collections::BTreeSet<String>) {
        if let Some(properties) = schema["properties"].as_object() {
            for (name, property) in properties {
                let text = property["description"].as_str().unwrap_or_default();
                let says = ["A file", "Files", "in PEM", "The private key"]
                    .iter()
                    .any(|word| text.contains(word));
                named.extend(says.then(|| name.clone()));
            }
        }
        match schema {
            serde_json::Value::Object(members) => {
                members
                    .values()
                    .for_each(|member| collect(member, named));
            }
            serde_json::Value::Array(list) => list.iter().for_each(|member| collect(member, named)),
            _ => {}
        }
    }

    #[test]
    fn members_are_found_wherever_they_stand() {
        let text = "danger_a = true\n[x]\nkeys = [\"/1\", \"/2\"]\n[[y]]\ndanger_b = false\nclaims \
            = { key = \"v\" }\n\
                    [[y]]\nca_file = \"/3\"\nz = { danger_c = true }\n";
        let document: toml::Value = toml::Value::Table(text.parse().unwrap());
        assert_eq!(dangers(&document), ["danger_a", "y[1].z.danger_c"]);
        let files = files(&document, |_| None);
        let files: Vec<(&str, bool)> = files
            .iter()
            .map(|file| (file.setting.as_str(), file.secret))
            .collect();
        assert_eq!(
            files,
            [
                ("x.keys[0]", true),
                ("x.keys[1]", true),
                ("y[1].ca_file", false)
            ]
        );
    }
}
