//! Where the caller, roles and groups are, and the operator's conditions, as meant.

use super::noted;
use crate::config::{ClaimCondition, ClaimScalar, ClaimText, IssuerConfig, OneOrMore};
use portcullis_core::ConfigError;
use portcullis_core::jose::json::Json;
use portcullis_core::token::ClaimPath;
use portcullis_core::verify::{Condition, ExpectedValue, Pattern, Profile};

fn claim_path(place: &str, member: &str, text: &str) -> Result<ClaimPath, ConfigError> {
    let place = format!("{place}.{member}");
    if text.contains("{client}") {
        let cure = "write `{audience}`: the roles of this API, never those of whichever client \
            calls";
        return Err(ConfigError::new(
            place,
            "no `{client}` in a claim path",
            cure,
        ));
    }
    ClaimPath::parse(text).map_err(|error| {
        let cure = "write a claim path such as `realm_access.roles`";
        ConfigError::new(place, error.to_string(), cure)
    })
}

fn boxed(names: &[String]) -> Vec<Box<str>> {
    names.iter().map(|name| name.as_str().into()).collect()
}

/// Puts what is written in place of what the dialect says.
pub(super) fn set(
    place: &str,
    written: &IssuerConfig,
    profile: &mut Profile,
    faults: &mut Vec<ConfigError>,
) {
    let mut paths = |member: &str, texts: &[String]| -> Vec<ClaimPath> {
        let mut found = Vec::new();
        for text in texts {
            found.extend(noted(faults, claim_path(place, member, text)));
        }
        found
    };
    let mapping = &mut profile.mapping;
    if let Some(path) = &written.subject {
        mapping.subject = paths("subject", std::slice::from_ref(path));
    }
    if let Some(roles) = &written.roles {
        mapping.roles = paths("roles", &roles.clone().into_vec());
    }
    if let Some(groups) = &written.groups {
        mapping.groups = paths("groups", &groups.clone().into_vec());
    }
    if let Some(path) = &written.acr {
        mapping.acr = paths("acr", std::slice::from_ref(path));
    }
    if let Some(path) = &written.auth_time {
        mapping.auth_time = paths("auth_time", std::slice::from_ref(path));
    }
    let mut conditions = Vec::new();
    for (name, values) in &written.claims {
        let claim = noted(faults, claim_path(place, "claims", name));
        let values = expected(place, name, values, faults);
        if let Some(claim) = claim {
            conditions.push(Condition::new(claim, values));
        }
    }
    profile.conditions = conditions;
    mapping.delimiter = written.delimiter;
    mapping.role_prefix = written.role_prefix.as_deref().map(Into::into);
    mapping.scope_prefix = written.scope_prefix.as_deref().map(Into::into);
    let includes = written.role_includes.iter();
    mapping.role_includes = includes
        .map(|(role, included)| (role.as_str().into(), boxed(included)))
        .collect();
    check_conditions(place, written, profile, faults);
}

/// What a claim may be.
fn expected(
    place: &str,
    name: &str,
    written: &OneOrMore<ClaimCondition>,
    faults: &mut Vec<ConfigError>,
) -> Vec<ExpectedValue> {
    let place = format!("{place}.claims.{name}");
    let read = |value: &ClaimCondition| match value {
        ClaimCondition::Value(ClaimScalar::Text(text)) if text.contains('*') => {
            let cure = format!(
                "write `{{ like = \"{0}\" }}` for a pattern, or `{{ exactly = \"{0}\" }}` for this \
                    very text",
                text.escape_debug()
            );
            Err(ConfigError::new(
                &place,
                "a text without `*`, which fits nothing but itself",
                cure,
            ))
        }
        ClaimCondition::Value(value) => Ok(ExpectedValue::Value(Json::from(value.clone()))),
        ClaimCondition::Text(ClaimText::Exactly(text)) => {
            Ok(ExpectedValue::Value(Json::from(text.as_str())))
        }
        ClaimCondition::Text(ClaimText::Like(text)) => match Pattern::parse(text) {
            Ok(pattern) => Ok(ExpectedValue::Like(pattern)),
            Err(error) => {
                let cure = "write a pattern such as `repo:my-org/*`: without the delimiter it \
                    would fit `repo:my-org-evil/x`";
                Err(ConfigError::new(&place, error.to_string(), cure))
            }
        },
    };
    let values = match written {
        OneOrMore::One(value) => std::slice::from_ref(value),
        OneOrMore::More(values) => values,
    };
    values
        .iter()
        .filter_map(|value| noted(faults, read(value)))
        .collect()
}

/// A provider that gives tokens for our audience to anybody needs a condition that tells whose they
/// are.
fn check_conditions(
    place: &str,
    written: &IssuerConfig,
    profile: &Profile,
    faults: &mut Vec<ConfigError>,
) {
    let dialect = profile.dialect;
    let telling = dialect.needs_condition;
    let is_telling = |condition: &&Condition| {
        let name = condition.claim.to_string();
        telling
            .iter()
            .any(|telling| *telling == name || *telling == name.replace('"', ""))
    };
    let told = profile
        .conditions
        .iter()
        .any(|condition| is_telling(&condition));
    // The tenant is such a claim at some of them, and as good a condition.
    let by_tenant = written.tenant.is_some()
        && dialect
            .tenant
            .iter()
            .any(|claim| telling.contains(&&*claim.replace('"', "")));
    if !telling.is_empty() && !told && !by_tenant {
        let expected = format!("a condition: {} for this audience", dialect.anybody);
        let cure = format!("demand one of {} under `claims`", telling.join(", "));
        faults.push(ConfigError::new(format!("{place}.claims"), expected, cure));
    }
    // `repo:*` and `repo:*/x` fit everybody's tokens.
    let fits_all = |value: &ExpectedValue| match value {
        ExpectedValue::Like(pattern) => {
            let before = pattern.as_str().split('*').next().unwrap_or_default();
            before.ends_with(':') && before.matches([':', '/']).count() == 1
        }
        _ => false,
    };
    if profile
        .conditions
        .iter()
        .filter(is_telling)
        .any(|condition| condition.values.iter().any(fits_all))
    {
        let cure = "name the owner in the pattern, such as `repo:my-org/*`";
        let expected = "a pattern that says whose tokens are accepted";
        faults.push(ConfigError::new(format!("{place}.claims"), expected, cure));
    }
    if written
        .claims
        .values()
        .any(|values| matches!(values, OneOrMore::More(values) if values.is_empty()))
    {
        let cure = "write the values to accept, or leave the claim out";
        let expected = "at least one value for each claim";
        faults.push(ConfigError::new(format!("{place}.claims"), expected, cure));
    }
}
