//! Where the caller, roles and groups are, and the operator's conditions, as meant.

use crate::config::{ClaimCondition, ClaimScalar, ClaimText, IssuerConfig, OneOrMore};
use portcullis_core::jose::json::Json;
use portcullis_core::proof::Binding;
use portcullis_core::token::{ClaimPath, Issuer};
use portcullis_core::verify::{Condition, ExpectedValue, Pattern, Profile};
use portcullis_core::{Dialect, Faults};
use std::slice;

fn claim_path(member: &str, text: &str, faults: &Faults) -> Option<ClaimPath> {
    if text.contains("{client}") {
        // Roles that a foreign client defines for itself are no roles of this API.
        let help = "write `{audience}`: the roles of this API, never those of whichever client \
            calls";
        faults
            .expected(member, "a claim path without `{client}`")
            .found(text)
            .help(help);
        return None;
    }
    match ClaimPath::parse(text) {
        Ok(path) => Some(path),
        Err(error) => {
            faults
                .wrong(member, error.to_string())
                .help("write a claim path such as `realm_access.roles`");
            None
        }
    }
}

fn claim_paths(member: &str, texts: &[String], faults: &Faults) -> Vec<ClaimPath> {
    let mut found = Vec::new();
    for text in texts {
        found.extend(claim_path(member, text, faults));
    }
    found
}

fn box_all(names: &[String]) -> Vec<Box<str>> {
    names.iter().map(|name| name.as_str().into()).collect()
}

/// Puts what is written in place of what the dialect says.
pub(super) fn set(written: &IssuerConfig, profile: &mut Profile, faults: &Faults) {
    let mapping = &mut profile.mapping;
    if let Some(path) = &written.subject {
        mapping.subject = claim_paths("subject", slice::from_ref(path), faults);
    }
    if let Some(roles) = &written.roles {
        mapping.roles = claim_paths("roles", roles.as_slice(), faults);
    }
    if let Some(groups) = &written.groups {
        mapping.groups = claim_paths("groups", groups.as_slice(), faults);
    }
    if let Some(path) = &written.acr {
        mapping.acr = claim_paths("acr", slice::from_ref(path), faults);
    }
    if let Some(path) = &written.auth_time {
        mapping.auth_time = claim_paths("auth_time", slice::from_ref(path), faults);
    }
    if let Some(path) = &written.email {
        mapping.email = claim_paths("email", slice::from_ref(path), faults);
    }
    mapping.delimiter = written.delimiter;
    mapping.role_prefix = written.role_prefix.as_deref().map(Into::into);
    mapping.scope_prefix = written.scope_prefix.as_deref().map(Into::into);
    mapping.role_includes.clear();
    for (role, included) in &written.role_includes {
        let role = role.as_str().into();
        mapping.role_includes.insert(role, box_all(included));
    }
    let mut conditions = Vec::new();
    for (name, values) in &written.claims {
        let claim = claim_path("claims", name, faults);
        // Judged even where the path is at fault, so that both faults are told at once.
        let values = condition_values(name, values, faults);
        if let Some(claim) = claim {
            conditions.push(Condition::new(claim, values));
        }
    }
    profile.conditions = conditions;
    check_conditions(written, profile, faults);
}

/// What a claim may be.
fn condition_values(
    name: &str,
    written: &OneOrMore<ClaimCondition>,
    faults: &Faults,
) -> Vec<ExpectedValue> {
    let member = format!("claims.{name}");
    if written.as_slice().is_empty() {
        faults
            .expected(&member, "at least one value")
            .found_as("an empty list")
            .help("write the values to accept, or leave the claim out");
    }
    let mut values = Vec::new();
    for value in written.as_slice() {
        values.extend(expected_value(&member, value, faults));
    }
    values
}

fn expected_value(member: &str, value: &ClaimCondition, faults: &Faults) -> Option<ExpectedValue> {
    match value {
        // Read as a pattern it would fit too much, read as a text nothing at all.
        ClaimCondition::Value(ClaimScalar::Text(text)) if text.contains('*') => {
            let shown = text.escape_debug();
            faults
                .expected(member, "a text without `*`, which fits nothing but itself")
                .found(text)
                .help(format!(
                    "write `{{ like = \"{shown}\" }}` for a pattern, or `{{ exactly = \"{shown}\" \
                     }}` for this very text"
                ));
            None
        }
        ClaimCondition::Value(value) => Some(ExpectedValue::Value(Json::from(value.clone()))),
        ClaimCondition::Text(ClaimText::Exactly(text)) => {
            Some(ExpectedValue::Value(Json::from(text.as_str())))
        }
        ClaimCondition::Text(ClaimText::Like(text)) => match Pattern::parse(text) {
            Ok(pattern) => Some(ExpectedValue::Like(pattern)),
            Err(error) => {
                let help = "write a pattern such as `repo:my-org/*`: without the delimiter it \
                    would fit `repo:my-org-evil/x`";
                faults
                    .expected(member, error.to_string())
                    .found(text)
                    .help(help);
                None
            }
        },
    }
}

/// A provider that gives tokens for our audience to anybody needs a condition that tells whose they
/// are.
fn check_conditions(written: &IssuerConfig, profile: &Profile, faults: &Faults) {
    let dialect = profile.dialect;
    let telling = dialect.needs_condition;
    // The tenant is such a claim at some of them, and as good a condition.
    let mut is_told = written.tenant.is_some()
        && dialect
            .tenant
            .iter()
            .any(|claim| telling.contains(&&*claim.replace('"', "")));
    for condition in &profile.conditions {
        let name = condition.claim.to_string();
        // A path shows a whole name in quotes, such as a URL; the dialect lists bare names.
        if !telling.contains(&name.as_str()) && !telling.contains(&&*name.replace('"', "")) {
            continue;
        }
        is_told = true;
        if condition.values.iter().any(fits_everybody) {
            faults
                .expected("claims", "a pattern that says whose tokens are accepted")
                .found_as(format!("one of `{name}` that fits everybody's"))
                .help("name the owner in the pattern, such as `repo:my-org/*`");
        }
    }
    let is_narrowed = written.tenant.is_some() || !profile.conditions.is_empty();
    if telling.is_empty() && !dialect.anybody.is_empty() && !is_narrowed {
        let claim = dialect.tenant.first().copied().unwrap_or("sub");
        faults
            .as_warnings()
            .expected("claims", format!("a condition: {}", dialect.anybody))
            .found_as("none")
            .help(format!(
                "write `tenant`, which is compared with `{claim}`, or `claims`; or let every route \
                 `require` more than a valid token"
            ));
    }
    if !telling.is_empty() && !is_told {
        faults
            .expected(
                "claims",
                format!("a condition: {} for this audience", dialect.anybody),
            )
            .found_as("none")
            .given(&["tenant", "profile", "url"])
            .help(format!(
                "demand one of {} under `claims`",
                telling.join(", ")
            ));
    }
}

/// Whether a pattern fits the tokens of every owner, as `repo:*` and `repo:*/x` do.
fn fits_everybody(value: &ExpectedValue) -> bool {
    let ExpectedValue::Like(pattern) = value else {
        return false;
    };
    let before = pattern.as_str().split('*').next().unwrap_or_default();
    // The owner follows the first delimiter, so a `*` right there fits every owner.
    before.ends_with(':') && before.matches([':', '/']).count() == 1
}
/// Whether the issuer's tokens can protect an API at all.
pub(super) fn check_fitness(
    dialect: &Dialect,
    issuer: &Issuer,
    written: &IssuerConfig,
    faults: &Faults,
) {
    if let Some(unfit) = (dialect.unfit)(issuer, &written.audience) {
        let (expected, reason) = unfit
            .expected
            .split_once(": ")
            .unwrap_or((unfit.expected, "it cannot protect an API"));
        faults
            .expected("url", expected)
            .found(issuer.as_str())
            .given(&["audience", "profile"])
            .help(format!("{}; {reason}", unfit.cure));
    }
}

/// How tokens must be bound.
pub(super) fn binding(word: &str, faults: &Faults) -> Option<Binding> {
    let binding = Binding::from_name(word);
    if binding.is_none() {
        faults
            .expected("bound", "`dpop`, `mtls` or `any`")
            .found(word)
            .help("write how tokens must be bound, or leave it out");
    }
    binding
}
