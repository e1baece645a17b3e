//! Where the caller, roles and groups are, and the operator's conditions, as meant.

use super::noted;
use crate::config::{IssuerConfig, OneOrMore};
use portcullis_core::ConfigError;
use portcullis_core::jose::json::Json;
use portcullis_core::token::ClaimPath;
use portcullis_core::verify::{Condition, Profile};

/// Puts what is written in place of what the dialect says.
pub(super) fn set(place: &str, written: &IssuerConfig, profile: &mut Profile, faults: &mut Vec<ConfigError>) {
    let mut paths = |member: &str, texts: Vec<String>| -> Vec<ClaimPath> {
        let read = |text: &String| {
            if text.contains("{client}") {
                let cure = "write `{audience}`: the roles of this API, never those of whichever client calls";
                return Err(ConfigError::new(
                    format!("{place}.{member}"),
                    "no `{client}` in a claim path",
                    cure,
                ));
            }
            ClaimPath::parse(text).map_err(|error| {
                let cure = "write a claim path such as `realm_access.roles`";
                ConfigError::new(format!("{place}.{member}"), error.to_string(), cure)
            })
        };
        texts.iter().filter_map(|text| noted(faults, read(text))).collect()
    };
    let mapping = &mut profile.mapping;
    if let Some(path) = &written.subject {
        mapping.subject = paths("subject", vec![path.clone()]);
    }
    if let Some(roles) = &written.roles {
        mapping.roles = paths("roles", roles.clone().into_vec());
    }
    if let Some(groups) = &written.groups {
        mapping.groups = paths("groups", groups.clone().into_vec());
    }
    if let Some(path) = &written.acr {
        mapping.acr = paths("acr", vec![path.clone()]);
    }
    if let Some(path) = &written.auth_time {
        mapping.auth_time = paths("auth_time", vec![path.clone()]);
    }
    let names: Vec<String> = written.claims.keys().cloned().collect();
    let places = paths("claims", names.clone());
    let values = written.claims.values().cloned().map(OneOrMore::into_vec);
    profile.conditions = places
        .into_iter()
        .zip(values)
        .map(|(claim, values)| Condition { claim, values: values.into_iter().map(Json::from).collect() })
        .collect();
    mapping.delimiter = written.delimiter;
    mapping.role_prefix = written.role_prefix.as_deref().map(Into::into);
    mapping.scope_prefix = written.scope_prefix.as_deref().map(Into::into);
    let boxed = |names: &Vec<String>| names.iter().map(|name| name.as_str().into()).collect();
    mapping.role_includes = written
        .role_includes
        .iter()
        .map(|(role, included)| (role.as_str().into(), boxed(included)))
        .collect();
    check_conditions(place, written, profile, faults);
}

/// A provider that gives tokens for our audience to anybody needs a condition that tells whose they are.
fn check_conditions(place: &str, written: &IssuerConfig, profile: &Profile, faults: &mut Vec<ConfigError>) {
    let telling = profile.dialect.needs_condition;
    if !telling.is_empty() && !written.claims.keys().any(|name| telling.contains(&name.as_str())) {
        let expected =
            format!("a condition: anybody on {} can have a token for this audience", profile.dialect.title);
        let cure = format!("demand one of {} under `claims`", telling.join(", "));
        faults.push(ConfigError::new(format!("{place}.claims"), expected, cure));
    }
    if written.claims.values().any(|values| matches!(values, OneOrMore::More(values) if values.is_empty())) {
        let cure = "write the values to accept, or leave the claim out";
        faults.push(ConfigError::new(format!("{place}.claims"), "at least one value for each claim", cure));
    }
}
