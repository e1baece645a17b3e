//! Any text as the one document of a gateway, and as variables of the environment: clear faults, or
//! settings that stay the same when they are printed and read again.

use portcullis_core::ConfigErrors;
use portcullis_gateway as gateway;
use portcullis_resource_server::config::VARIABLES;
use portcullis_resource_server::{Config, Settings};
use std::collections::BTreeMap;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // What a file holds is not in these bytes.
    if text.contains("_file") || text.contains("_FILE") {
        return;
    }
    document(text);
    variables(text);
}

/// All faults say where they are and what to do.
fn are_clear(faults: &ConfigErrors) {
    let mut faults = faults.iter().peekable();
    assert!(faults.peek().is_some(), "refused without a fault");
    for fault in faults {
        assert!(
            !fault.place().is_empty() && !fault.help().is_empty() && !fault.to_string().is_empty()
        );
    }
}

fn document(text: &str) {
    let config = match gateway::Config::from_toml(text) {
        Ok(config) => config,
        Err(faults) => return are_clear(&faults),
    };
    // Layout, comments and the kind of quotes mean nothing.
    let printed = text
        .parse::<toml::Table>()
        .expect("what was read is TOML")
        .to_string();
    let again = gateway::Config::from_toml(&printed)
        .expect("what is accepted is accepted when it is printed");
    assert_eq!(
        format!("{:?}", again.resource_server),
        format!("{:?}", config.resource_server),
        "{printed}"
    );
    assert_eq!(again.gateway, config.gateway, "{printed}");
    // The server's part by itself is read by the same rules.
    let alone = Config::from_toml(text).expect("a part of what is accepted");
    assert_eq!(
        format!("{alone:?}"),
        format!("{:?}", config.resource_server)
    );
    match (
        gateway::Settings::try_from(config),
        gateway::Settings::try_from(again),
    ) {
        (Ok(settings), Ok(again)) => {
            let told = |settings: &gateway::Settings| format!("{:?}", settings.summary());
            assert_eq!(told(&settings), told(&again));
            assert_eq!(settings.dangers(), again.dangers());
            assert!(Settings::try_from(alone).is_ok());
        }
        (Err(faults), Err(again)) => {
            are_clear(&faults);
            assert_eq!(faults.to_string(), again.to_string());
        }
        (settings, _) => panic!(
            "another judgement of the same settings, which were {}",
            settings.is_ok()
        ),
    }
}

fn variables(text: &str) {
    let lines: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let variable = |name: &str| lines.get(name).map(|value| (*value).to_owned());
    if !VARIABLES.iter().any(|name| lines.contains_key(name)) {
        return;
    }
    let config = match Config::from_variables(variable) {
        Ok(config) => config,
        Err(faults) => {
            are_clear(&faults);
            assert!(
                faults
                    .iter()
                    .all(|fault| VARIABLES.contains(&fault.place())),
                "{faults}"
            );
            return;
        }
    };
    // A document that says the same. A secret cannot stand in one.
    if config
        .issuer
        .iter()
        .all(|issuer| issuer.introspection.is_none())
    {
        let same = Config::from_toml(&as_document(&lines)).expect("a document");
        assert_eq!(format!("{same:?}"), format!("{config:?}"));
        // Place and help differ: both name what the operator can change, a variable or a member.
        let judged = |config: Config| match Settings::try_from(config) {
            Ok(_) => Vec::new(),
            Err(faults) => {
                let texts = faults.iter().map(|fault| fault.message());
                let mut texts: Vec<String> = texts.collect();
                texts.sort();
                texts
            }
        };
        assert_eq!(judged(same), judged(config));
    } else if let Err(faults) = Settings::try_from(config) {
        are_clear(&faults);
        let secret = lines.get("OAUTH2_CLIENT_SECRET").filter(|secret| {
            let others = lines
                .iter()
                .filter(|(name, _)| **name != "OAUTH2_CLIENT_SECRET");
            secret.len() >= 16
                && !others
                    .map(|(_, value)| value)
                    .any(|value| value.contains(**secret))
        });
        assert!(
            secret.is_none_or(|secret| !faults.to_string().contains(secret)),
            "{faults}"
        );
    }
}

fn as_document(lines: &BTreeMap<&str, &str>) -> String {
    let value = |name: &str| {
        lines
            .get(name)
            .copied()
            .filter(|value| !value.trim().is_empty())
    };
    let text = |value: &str| toml::Value::String(value.replace("${", "$${"));
    let mut issuer = toml::Table::new();
    for (member, name) in [
        ("url", "OAUTH2_ISSUER"),
        ("profile", "OAUTH2_PROFILE"),
        ("tenant", "OAUTH2_TENANT_ID"),
        ("roles", "OAUTH2_ROLES_CLAIM"),
    ] {
        issuer.extend(value(name).map(|value| (member.to_owned(), text(value))));
    }
    let audience = value("OAUTH2_AUDIENCE")
        .unwrap_or_default()
        .split(',')
        .map(str::trim);
    let audience = audience
        .filter(|name| !name.is_empty())
        .map(text)
        .collect();
    issuer.insert("audience".to_owned(), toml::Value::Array(audience));
    let is_plain = value("OAUTH2_DANGER_PLAIN_HTTP").is_some_and(|value| value.trim() == "true");
    issuer.insert("danger_plain_http".to_owned(), is_plain.into());
    let mut document = toml::Table::new();
    document.insert("issuer".to_owned(), toml::Value::Array(vec![issuer.into()]));
    if let Some(store) = value("PORTCULLIS_STORE") {
        let store = toml::Table::from_iter([("store".to_owned(), text(store.trim()))]);
        document.insert("revocation".to_owned(), store.into());
    }
    if let Some(pages) = value("PORTCULLIS_CODE_URL") {
        document.insert("code_url".to_owned(), text(pages.trim()));
    }
    document.to_string()
}
