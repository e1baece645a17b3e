//! Policies, from as written to as meant.

use super::faults::Faults;
use crate::config::{CedarConfig, Tables};
use crate::decision::cedar::{ClaimType, Policies, Vocabulary, demands, is_name};
use portcullis_core::token::ClaimPath;

/// The policies, read and checked; faults are added to the list.
pub(super) fn policies(tables: &Tables, faults: &mut Faults) -> Policies {
    let asking = tables.route.iter().position(|route| {
        let mut named = Vec::new();
        demands(route.require.as_ref(), &mut named);
        !named.is_empty()
    });
    match (&tables.cedar, asking) {
        (None, None) => Policies::default(),
        (None, Some(index)) => {
            let cure =
                "write `[cedar]` with `policies = [\"policies\"]`, a folder of `.cedar` files";
            faults.add(
                format!("route[{index}].require.cedar"),
                "policies to ask",
                cure,
            );
            Policies::default()
        }
        (Some(cedar), asking) => {
            if asking.is_none() {
                let cure =
                    "write `require = { cedar = true }` in the routes that the policies are for";
                faults.add(
                    "cedar",
                    "a route that asks the policies: so far they decide nothing",
                    cure,
                );
            }
            claims(cedar, faults);
            faults
                .all(Policies::read(cedar, &Vocabulary::of(tables)))
                .unwrap_or_default()
        }
    }
}

fn claims(cedar: &CedarConfig, faults: &mut Faults) {
    for (name, kind) in &cedar.claims {
        let place = format!("cedar.claims.{name}");
        if !is_name(name) || ClaimPath::parse(name).is_err() {
            faults.add(
                &place,
                "the path of a claim, in ASCII",
                "write a path such as `realm_access.level`",
            );
        }
        if ClaimType::from_name(kind).is_none() {
            faults.add(
                &place,
                "a type of Cedar",
                "write `String`, `Long`, `Bool` or `Set<String>`",
            );
        }
    }
}
