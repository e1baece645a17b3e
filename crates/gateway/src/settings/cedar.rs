//! Policies, from as written to as meant.

use crate::config::{CedarConfig, Tables};
use crate::decision::cedar::{
    ClaimType, Policies, PolicyFile, Vocabulary, demands, is_name, policy_files,
};
use portcullis_core::Faults;
use portcullis_core::token::ClaimPath;

/// The policies, read and checked.
pub(super) fn policies(tables: &Tables, faults: &Faults) -> Policies {
    let asking = first_asking_route(tables);
    let Some(cedar) = &tables.cedar else {
        if let Some(index) = asking {
            faults
                .at(format!("route[{index}]"))
                .expected("require.cedar", "policies that can be asked")
                .found_as("no table `[cedar]`")
                .given_elsewhere(&["cedar"])
                .help(
                    "write `[cedar]` with `policies = [\"policies\"]`, a folder of `.cedar` files",
                );
        }
        return Policies::default();
    };
    // A fault and not a warning: the file would look protected by policies that decide nothing.
    if asking.is_none() {
        faults
            .expected("cedar", "a route that asks the policies")
            .found_as("none, so they decide nothing")
            .given_elsewhere(&["route.*"])
            .help("write `require = { cedar = true }` in the routes that the policies are for");
    }
    claims(cedar, &faults.at("cedar.claims"));
    faults
        .note(Policies::read(cedar, &Vocabulary::of(tables)))
        .unwrap_or_default()
}

/// The policies as written.
pub(super) fn files(tables: &Tables) -> Option<(CedarConfig, Vec<PolicyFile>)> {
    let cedar = tables.cedar.as_ref()?;
    Some((cedar.clone(), policy_files(&cedar.policies)))
}

fn first_asking_route(tables: &Tables) -> Option<usize> {
    for (index, route) in tables.route.iter().enumerate() {
        let mut named = Vec::new();
        demands(route.require.as_ref(), &mut named);
        if !named.is_empty() {
            return Some(index);
        }
    }
    None
}

fn claims(cedar: &CedarConfig, faults: &Faults) {
    for (name, kind) in &cedar.claims {
        // The text of the Cedar schema holds the name as it is, and a quote would end it.
        if !is_name(name) || ClaimPath::parse(name).is_err() {
            faults
                .expected(name, "the path of a claim, in ASCII")
                .found(name)
                .help("write a path such as `realm_access.level`");
        }
        if ClaimType::from_name(kind).is_none() {
            faults
                .expected(name, "a type of Cedar")
                .found(kind)
                .help("write `String`, `Long`, `Bool` or `Set<String>`");
        }
    }
}
