//! What a route demands, from as written to as meant.

use crate::config::{CedarDemand, RequireConfig};
use crate::decision::cedar::{Demand, is_name};
use portcullis_core::jose::json::Json;
use portcullis_core::proof::Binding;
use portcullis_core::token::{ClaimPath, Scopes};
use portcullis_core::{ConfigError, Faults, Requirement};
use portcullis_resource_server::{ClaimScalar, OneOrMore};
use std::time::Duration;

/// How deep `all`, `any` and `not` may be nested.
const DEEPEST: usize = 16;

/// All the words that are written. `faults` are those of the table.
pub(super) fn requirement(written: &RequireConfig, faults: &Faults) -> Requirement {
    within(written, 0, faults)
}

fn within(written: &RequireConfig, depth: usize, faults: &Faults) -> Requirement {
    // Each level is a call here and in every decision: the stack bounds it.
    if depth >= DEEPEST {
        faults
            .expected("", format!("at most {DEEPEST} levels"))
            .found_as("more")
            .help("write it flatter");
        return Requirement::any([]);
    }
    let before = faults.count();
    let mut all = words(written, faults);
    // A word at fault was written all the same: its own fault is enough.
    let is_at_fault = faults.count() > before;
    if let Some(list) = &written.all {
        all.push(Requirement::all(each("all", list, depth, faults)));
    }
    if let Some(list) = &written.any {
        all.push(Requirement::any(each("any", list, depth, faults)));
    }
    if let Some(one) = &written.not {
        let one = within(one, depth + 1, &faults.at("not"));
        all.push(Requirement::not(one));
    }
    let is_empty =
        |list: &Option<Vec<RequireConfig>>| matches!(list, Some(list) if list.is_empty());
    // An empty `any` could never be met, and an empty `all` always is: neither is meant.
    if (all.is_empty() && !is_at_fault) || is_empty(&written.any) || is_empty(&written.all) {
        let help = "write `scope`, `audience`, `role`, `group`, `kind`, `claim`, `acr`, `max_age`, \
            `bound`, `cedar`, `all`, `any` or `not`, or leave it out";
        faults
            .expected("", "something to meet")
            .found_as("nothing")
            .help(help);
    }
    match <[Requirement; 1]>::try_from(all) {
        Ok([one]) => one,
        Err(all) => Requirement::all(all),
    }
}

/// Requirements in a row; each is told by its place in it.
fn each(member: &str, list: &[RequireConfig], depth: usize, faults: &Faults) -> Vec<Requirement> {
    let mut meant = Vec::new();
    for (index, written) in list.iter().enumerate() {
        let place = faults.at(format!("{member}[{index}]"));
        meant.push(within(written, depth + 1, &place));
    }
    meant
}

/// The words that hold no others.
fn words(written: &RequireConfig, faults: &Faults) -> Vec<Requirement> {
    let mut all: Vec<Requirement> = Vec::new();
    let scopes = names("scope", written.scope.as_ref(), faults);
    all.extend(scopes.map(Requirement::scope));
    let audience = written.audience.as_ref();
    all.extend(audience.map(|names| demand_audience(names, faults)));
    let roles = names("role", written.role.as_ref(), faults);
    all.extend(roles.map(Requirement::role));
    let groups = names("group", written.group.as_ref(), faults);
    all.extend(groups.map(Requirement::group));
    if let Some(word) = &written.kind {
        all.extend(kind(word, faults));
    }
    for (path, values) in &written.claim {
        all.extend(claim(path, values, &faults.at("claim")));
    }
    // One of the values, unlike the other members: a user signs in in one way.
    if written.acr.is_some() {
        all.push(Requirement::acr(names("acr", written.acr.as_ref(), faults)));
    }
    if let Some(seconds) = written.max_age {
        all.extend(max_age(seconds, faults));
    }
    if let Some(word) = &written.bound {
        all.extend(binding(word, faults));
    }
    if let Some(demand) = &written.cedar {
        all.extend(cedar(demand, faults));
    }
    all
}

/// A token for one of these audiences: they are names of one resource.
pub(super) fn demand_audience(written: &OneOrMore<String>, faults: &Faults) -> Requirement {
    Requirement::audience(names("audience", Some(written), faults))
}

fn binding(word: &str, faults: &Faults) -> Option<Requirement> {
    let binding = Binding::from_name(word);
    if binding.is_none() {
        faults
            .expected("bound", "`dpop`, `mtls` or `any`")
            .found(word)
            .help("write how tokens must be bound, or leave it out");
    }
    binding.map(Requirement::bind)
}

/// The names of a member. An empty one would never be granted.
fn names<'w>(
    member: &str,
    written: Option<&'w OneOrMore<String>>,
    faults: &Faults,
) -> impl Iterator<Item = &'w str> + use<'w> {
    let names: &[String] = written.map(OneOrMore::as_slice).unwrap_or_default();
    for name in names {
        let is_name = match member {
            // Another one would never be granted (RFC 6749, section 3.3).
            "scope" => Scopes::is_token(name),
            // Values of `acr_values` have spaces between (OpenID Connect Core, section 3.1.2.1).
            "acr" => !name.is_empty() && !name.contains(' '),
            _ => !name.is_empty(),
        };
        if !is_name {
            faults
                .expected(member, format!("the name of one {member}"))
                .found(name)
                .help("write one, or a list of them");
        }
    }
    if written.is_some() && names.is_empty() {
        faults
            .expected(member, format!("names of {member}s"))
            .found_as("an empty list")
            .help("write one, or a list of them");
    }
    names.iter().map(String::as_str)
}

fn kind(kind: &str, faults: &Faults) -> Option<Requirement> {
    match kind {
        "user" => Some(Requirement::user()),
        "application" => Some(Requirement::application()),
        other => {
            faults
                .expected("kind", "`user` or `application`")
                .found(other)
                .help("write for whom the token must have been issued");
            None
        }
    }
}

fn max_age(seconds: u64, faults: &Faults) -> Option<Requirement> {
    if seconds == 0 {
        faults
            .expected("max_age", "a second or more")
            .found(seconds)
            .help("write how many seconds ago the user may have signed in, such as `900`");
        return None;
    }
    Some(Requirement::max_age(Duration::from_secs(seconds)))
}

fn cedar(demand: &CedarDemand, faults: &Faults) -> Option<Requirement> {
    let found = match demand {
        CedarDemand::Asked(true) => return Some(Requirement::rule(Demand { action: None })),
        CedarDemand::Action(action) if is_name(action) => {
            let action = Some(action.as_str().into());
            return Some(Requirement::rule(Demand { action }));
        }
        CedarDemand::Action(action) => format!("{action:?}"),
        CedarDemand::Asked(false) => "false".to_owned(),
    };
    let help = "write `true` to ask by the method, or an action such as `orders:read`, or leave it \
        out";
    faults
        .expected("cedar", "`true`, or the name of an action")
        .found_as(found)
        .help(help);
    None
}

/// `faults` are those of the table of claims.
fn claim(path: &str, values: &OneOrMore<ClaimScalar>, faults: &Faults) -> Option<Requirement> {
    let help = "write a claim path and a value, such as `department = \"sales\"`";
    let claim = match ClaimPath::parse(path) {
        Ok(claim) => claim,
        Err(error) => {
            // An empty name would be the place of the table itself.
            let place = format!("{}.{path}", faults.place(""));
            faults.add(ConfigError::wrong(place, error.to_string()).help(help));
            return None;
        }
    };
    let mut alternatives = Vec::new();
    for value in values.as_slice() {
        alternatives.push(Requirement::Claim(claim.clone(), Json::from(value.clone())));
    }
    if alternatives.is_empty() {
        faults
            .expected(path, "at least one value")
            .found_as("an empty list")
            .help(help);
        return None;
    }
    match <[Requirement; 1]>::try_from(alternatives) {
        Ok([one]) => Some(one),
        Err(several) => Some(Requirement::any(several)),
    }
}
