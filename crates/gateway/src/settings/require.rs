//! What a route demands, from as written to as meant.

use super::faults::Faults;
use crate::config::{CedarDemand, RequireConfig};
use crate::decision::cedar::{Demand, is_name};
use portcullis_core::Requirement;
use portcullis_core::jose::json::Json;
use portcullis_core::token::{ClaimPath, Scopes};
use portcullis_resource_server::{ClaimScalar, OneOrMore};
use std::time::Duration;

/// How deep `all`, `any` and `not` may be nested.
const DEEPEST: usize = 16;

/// All the words that are written; faults are added to the list.
pub(super) fn requirement(
    place: &str,
    written: &RequireConfig,
    faults: &mut Faults,
) -> Requirement {
    Reader { faults, depth: 0 }.requirement(place, written)
}

struct Reader<'f> {
    faults: &'f mut Faults,
    depth: usize,
}

impl Reader<'_> {
    /// Requirements in a row; each is told by its place in it.
    fn list(&mut self, place: &str, list: &[RequireConfig]) -> Vec<Requirement> {
        let mut meant = Vec::new();
        for (index, written) in list.iter().enumerate() {
            meant.push(self.requirement(&format!("{place}[{index}]"), written));
        }
        meant
    }

    fn requirement(&mut self, place: &str, written: &RequireConfig) -> Requirement {
        if self.depth >= DEEPEST {
            self.faults.add(
                place,
                format!("at most {DEEPEST} levels"),
                "write it flatter",
            );
            return Requirement::any([]);
        }
        self.depth += 1;
        let mut all: Vec<Requirement> = Vec::new();
        let scopes = self.names(place, "scope", written.scope.as_ref());
        all.extend(scopes.map(Requirement::scope));
        let roles = self.names(place, "role", written.role.as_ref());
        all.extend(roles.map(Requirement::role));
        let groups = self.names(place, "group", written.group.as_ref());
        all.extend(groups.map(Requirement::group));
        if let Some(kind) = &written.kind {
            all.extend(self.kind(place, kind));
        }
        for (path, values) in &written.claim {
            all.extend(self.claim(place, path, values));
        }
        all.extend(self.acr(place, written.acr.as_ref()));
        if let Some(seconds) = written.max_age {
            all.extend(self.max_age(place, seconds));
        }
        if let Some(demand) = &written.cedar {
            all.extend(self.cedar(place, demand));
        }
        if let Some(list) = &written.all {
            all.push(Requirement::all(self.list(&format!("{place}.all"), list)));
        }
        if let Some(list) = &written.any {
            all.push(Requirement::any(self.list(&format!("{place}.any"), list)));
        }
        if let Some(one) = &written.not {
            let one = self.requirement(&format!("{place}.not"), one);
            all.push(Requirement::not(one));
        }
        self.depth -= 1;
        let empty = |list: &Option<Vec<RequireConfig>>| list.as_ref().is_some_and(Vec::is_empty);
        if all.is_empty() || empty(&written.any) || empty(&written.all) {
            let cure = "write `scope`, `role`, `group`, `kind`, `claim`, `acr`, `max_age`, \
                `cedar`, `all`, `any` or `not`, or leave it out";
            self.faults.add(place, "something to meet", cure);
        }
        match <[Requirement; 1]>::try_from(all) {
            Ok([one]) => one,
            Err(all) => Requirement::all(all),
        }
    }

    /// The names of a member. An empty one would never be granted.
    fn names<'w>(
        &mut self,
        place: &str,
        member: &str,
        written: Option<&'w OneOrMore<String>>,
    ) -> impl Iterator<Item = &'w str> + use<'w> {
        let names: &[String] = match written {
            None => &[],
            Some(OneOrMore::One(name)) => std::slice::from_ref(name),
            Some(OneOrMore::More(names)) => names,
        };
        let wrong = |name: &String| match member {
            // Another one would never be granted (RFC 6749, section 3.3).
            "scope" => !Scopes::is_token(name),
            "acr" => name.is_empty() || name.contains(' '),
            _ => name.is_empty(),
        };
        if (written.is_some() && names.is_empty()) || names.iter().any(wrong) {
            let cure = "write one, or a list of them";
            self.faults.add(
                format!("{place}.{member}"),
                format!("names of {member}s"),
                cure,
            );
        }
        names.iter().map(String::as_str)
    }

    fn kind(&mut self, place: &str, kind: &str) -> Option<Requirement> {
        match kind {
            "user" => Some(Requirement::user()),
            "application" => Some(Requirement::application()),
            _ => {
                let cure = "write for whom the token must have been issued";
                self.faults
                    .add(format!("{place}.kind"), "`user` or `application`", cure);
                None
            }
        }
    }

    /// One of the values, unlike the other members: a user signs in in one way.
    fn acr(&mut self, place: &str, written: Option<&OneOrMore<String>>) -> Option<Requirement> {
        let values: Vec<&str> = self.names(place, "acr", written).collect();
        written.is_some().then(|| Requirement::acr(values))
    }

    fn max_age(&mut self, place: &str, seconds: u64) -> Option<Requirement> {
        if seconds == 0 {
            let cure = "write how many seconds ago the user may have signed in, such as `900`";
            self.faults
                .add(format!("{place}.max_age"), "a second or more", cure);
            return None;
        }
        Some(Requirement::max_age(Duration::from_secs(seconds)))
    }

    fn cedar(&mut self, place: &str, demand: &CedarDemand) -> Option<Requirement> {
        let action = match demand {
            CedarDemand::Asked(true) => None,
            CedarDemand::Action(action) if is_name(action) => Some(action.as_str().into()),
            CedarDemand::Asked(false) | CedarDemand::Action(_) => {
                let cure = "write `true` to ask by the method, or an action such as `orders:read`, \
                    or leave it out";
                self.faults.add(
                    format!("{place}.cedar"),
                    "`true`, or the name of an action",
                    cure,
                );
                return None;
            }
        };
        Some(Requirement::rule(Demand { action }))
    }

    fn claim(
        &mut self,
        place: &str,
        path: &str,
        values: &OneOrMore<ClaimScalar>,
    ) -> Option<Requirement> {
        let cure = "write a claim path and a value, such as `department = \"sales\"`";
        match (ClaimPath::parse(path), values.clone().into_vec().as_slice()) {
            (Ok(path), [value]) => Some(Requirement::Claim(path, Json::from(value.clone()))),
            (Ok(path), values) if !values.is_empty() => {
                let claim = |value: &ClaimScalar| {
                    Requirement::Claim(path.clone(), Json::from(value.clone()))
                };
                Some(Requirement::any(values.iter().map(claim)))
            }
            (Ok(_), _) => {
                self.faults
                    .add(format!("{place}.claim.{path}"), "at least one value", cure);
                None
            }
            (Err(error), _) => {
                self.faults
                    .add(format!("{place}.claim.{path}"), error.to_string(), cure);
                None
            }
        }
    }
}
