//! Entities and context for the policies: caller, route and request, as the schema has them.
//!
//! Unknown values are left out. Reading groups that did not fit into the token is then an error,
//! and never an empty set. The same holds for the address of a caller whom a trusted proxy does not
//! name readably.

use super::input::{PolicyInput, Resource};
use super::policies::internal;
use super::schema::{ClaimType, Vocabulary};
use crate::decision::time::utc;
use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use percent_encoding::percent_decode_str;
use portcullis_core::ConfigErrors;
use portcullis_core::jose::json::Json;
use portcullis_core::token::{AccessToken, ClaimPath, Identity, Kind, Membership};
use std::collections::{HashMap, HashSet};

/// The caller's address in the context.
const ADDRESS: &str = "address";

type EntityAttributes = HashMap<String, RestrictedExpression>;

/// The names of the schema, and the claims that it knows.
pub(super) struct SchemaNames {
    user: EntityTypeName,
    application: EntityTypeName,
    role: EntityTypeName,
    group: EntityTypeName,
    route: EntityTypeName,
    action: EntityTypeName,
    claims: Vec<(Box<str>, ClaimPath, ClaimType)>,
}

/// A request, ready for the policies.
pub(super) struct PolicyFacts {
    pub(super) request: Request,
    pub(super) entities: Entities,
    pub(super) unknown: UnknownMembers,
    /// Whether the caller's address is in the context.
    pub(super) address_known: bool,
}

/// The unknown memberships of a caller who has more groups than fit into the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnknownMembers {
    Nothing,
    Groups,
    /// The roles too, where groups serve as roles.
    GroupsAndRoles,
}

impl UnknownMembers {
    fn of(identity: &Identity) -> Self {
        match (
            identity.roles().is_unknown(),
            identity.groups().is_unknown(),
        ) {
            (true, _) => Self::GroupsAndRoles,
            (false, true) => Self::Groups,
            (false, false) => Self::Nothing,
        }
    }
}

/// A claim that is not of the type that the settings say.
pub(super) struct OtherType;

impl SchemaNames {
    pub(super) fn new(vocabulary: &Vocabulary) -> Result<Self, ConfigErrors> {
        let mut claims = Vec::new();
        for (name, (path, kind)) in &vocabulary.claims {
            claims.push((name.clone(), path.clone(), *kind));
        }
        Ok(Self {
            user: type_name("Portcullis::User")?,
            application: type_name("Portcullis::Application")?,
            role: type_name("Portcullis::Role")?,
            group: type_name("Portcullis::Group")?,
            route: type_name("Portcullis::Route")?,
            action: type_name("Portcullis::Action")?,
            claims,
        })
    }

    pub(super) fn action(&self, name: &str) -> EntityUid {
        uid(&self.action, name)
    }

    pub(super) fn is_role(&self, uid: &EntityUid) -> bool {
        *uid.type_name() == self.role
    }

    pub(super) fn is_group(&self, uid: &EntityUid) -> bool {
        *uid.type_name() == self.group
    }

    /// The facts about a request of this caller.
    pub(super) fn facts(
        &self,
        token: &AccessToken,
        action: &str,
        resource: &Entity,
        context: Context,
    ) -> Result<PolicyFacts, OtherType> {
        let address_known = context.get(ADDRESS).is_some();
        let caller = self.caller(token)?;
        let (principal, action) = (caller.uid(), self.action(action));
        // The policies were validated against the schema, so the request need not be once more.
        let request =
            Request::new(principal, action, resource.uid(), context, None).map_err(broken)?;
        let entities = Entities::from_entities([caller, resource.clone()], None).map_err(broken)?;
        let unknown = UnknownMembers::of(token.identity());
        Ok(PolicyFacts {
            request,
            entities,
            unknown,
            address_known,
        })
    }

    fn caller(&self, token: &AccessToken) -> Result<Entity, OtherType> {
        let identity = token.identity();
        let kind = match identity.kind() {
            Kind::User => &self.user,
            Kind::Application => &self.application,
            // The schema has no name for such a caller, who is refused before policies are asked.
            Kind::Unknown => return Err(OtherType),
        };
        let issuer = token.issuer().as_str();
        // An issuer is a URL and has no bar, so the first one ends it: no two callers are one.
        let subject = identity.subject().unwrap_or_default();
        let mut attributes = EntityAttributes::from([
            ("issuer".to_owned(), string(issuer)),
            ("scopes".to_owned(), strings(token.scopes().iter())),
            ("claims".to_owned(), self.claims(token)?),
        ]);
        for (name, value) in [
            ("subject", identity.subject()),
            ("client", identity.client()),
            ("tenant", identity.tenant()),
        ] {
            if let Some(value) = value {
                attributes.insert(name.to_owned(), string(value));
            }
        }
        let mut parents = HashSet::new();
        for (name, members, kind) in [
            ("roles", identity.roles(), &self.role),
            ("groups", identity.groups(), &self.group),
        ] {
            if let Membership::Known(_) = members {
                attributes.insert(name.to_owned(), strings(members.iter()));
                parents.extend(members.iter().map(|member| uid(kind, member)));
            }
        }
        let id = format!("{issuer}|{subject}");
        Entity::new(uid(kind, &id), attributes, parents).map_err(broken)
    }

    /// The claims that the settings name, where the token has them. A claim of another type than
    /// they say is an error: a conversion would be a guess.
    fn claims(&self, token: &AccessToken) -> Result<RestrictedExpression, OtherType> {
        let mut members = Vec::new();
        for (name, path, kind) in &self.claims {
            match path.find(token.claims()) {
                None | Some(Json::Null) => {}
                Some(value) => members.push((name.to_string(), claim(value, *kind)?)),
            }
        }
        RestrictedExpression::new_record(members).map_err(broken)
    }

    /// The matched route.
    pub(super) fn resource(&self, resource: &Resource) -> Result<Entity, OtherType> {
        let attributes = EntityAttributes::from([("path".to_owned(), string(&resource.path))]);
        Entity::new(uid(&self.route, &resource.id), attributes, HashSet::new()).map_err(broken)
    }
}

/// The context of a request.
pub(super) fn context(input: PolicyInput<'_>) -> Result<Context, OtherType> {
    let PolicyInput {
        request,
        resource,
        now,
    } = input;
    let target = &request.target;
    let segments: Vec<&str> = target.path.segments().collect();
    let mut parameters = Vec::new();
    for (index, name) in &resource.parameters {
        if let Some(segment) = segments.get(*index) {
            // A path has one reading, which is UTF-8.
            let value = percent_decode_str(segment).decode_utf8_lossy();
            parameters.push((name.to_string(), string(&value)));
        }
    }
    let parameters = RestrictedExpression::new_record(parameters).map_err(broken)?;
    let time = RestrictedExpression::new_datetime(utc(now));
    let mut members = vec![
        ("method".to_owned(), string(request.method.as_str())),
        ("path".to_owned(), string(target.path.as_str())),
        ("host".to_owned(), string(target.host.name())),
        ("time".to_owned(), time),
        ("parameters".to_owned(), parameters),
    ];
    if let Some(address) = request.caller.address() {
        let address = RestrictedExpression::new_ip(address.to_canonical().to_string());
        members.push((ADDRESS.to_owned(), address));
    }
    Context::from_pairs(members).map_err(broken)
}

fn claim(value: &Json, kind: ClaimType) -> Result<RestrictedExpression, OtherType> {
    match (kind, value) {
        (ClaimType::String, Json::String(text)) => Ok(string(text)),
        (ClaimType::Bool, Json::Bool(value)) => Ok(RestrictedExpression::new_bool(*value)),
        (ClaimType::Long, value) => {
            let number = value.as_i64().ok_or(OtherType)?;
            Ok(RestrictedExpression::new_long(number))
        }
        // Providers often write a single value without its list.
        (ClaimType::Strings, Json::String(text)) => Ok(strings([&**text])),
        (ClaimType::Strings, Json::Array(list)) => {
            let texts: Option<Vec<&str>> = list.iter().map(Json::as_str).collect();
            Ok(strings(texts.ok_or(OtherType)?))
        }
        _ => Err(OtherType),
    }
}

fn type_name(name: &str) -> Result<EntityTypeName, ConfigErrors> {
    name.parse().map_err(internal)
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn strings<'t>(texts: impl IntoIterator<Item = &'t str>) -> RestrictedExpression {
    RestrictedExpression::new_set(texts.into_iter().map(string))
}

/// Values made of strings, numbers and sets of them do not fail. If one did, the decision would
/// fail with it.
fn broken<E>(_: E) -> OtherType {
    OtherType
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Tables;
    use portcullis_core::Limits;
    use portcullis_core::jose::json;

    #[test]
    fn a_claim_has_the_type_that_the_settings_say_or_is_an_error() {
        for (text, kind, fits) in [
            (r#""a""#, ClaimType::String, true),
            (r#"["a"]"#, ClaimType::String, false),
            ("true", ClaimType::Bool, true),
            (r#""true""#, ClaimType::Bool, false),
            ("7", ClaimType::Long, true),
            ("7.5", ClaimType::Long, false),
            (r#""7""#, ClaimType::Long, false),
            (r#"["a","b"]"#, ClaimType::Strings, true),
            // One value without its list.
            (r#""a""#, ClaimType::Strings, true),
            (r#"["a",1]"#, ClaimType::Strings, false),
            ("1", ClaimType::Strings, false),
        ] {
            let value = json::parse(text.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(claim(&value, kind).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn roles_and_groups_are_told_apart() {
        let names = SchemaNames::new(&Vocabulary::of(&Tables::default()));
        let Ok(names) = names else {
            panic!("the names are right")
        };
        let (role, group) = (uid(&names.role, "a"), uid(&names.group, "a"));
        assert!(names.is_role(&role) && !names.is_role(&group));
        assert!(names.is_group(&group) && !names.is_group(&role));
    }
}
