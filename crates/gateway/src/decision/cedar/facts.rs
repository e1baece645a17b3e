//! What policies are told: caller, route and request, as entities and context that fit the schema.
//!
//! What nobody knows is left out. So it is with groups that did not fit into the token: reading
//! them is an error then, and never a set without members. So it is with the address of a caller
//! whom a trusted proxy does not name readably.

use super::policies::internal;
use super::schema::{ClaimType, Vocabulary};
use super::{PolicyInput, Resource};
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

type Attributes = HashMap<String, RestrictedExpression>;

/// The names of the schema, and the claims that it knows.
pub(super) struct Names {
    user: EntityTypeName,
    application: EntityTypeName,
    role: EntityTypeName,
    group: EntityTypeName,
    route: EntityTypeName,
    action: EntityTypeName,
    claims: Vec<(Box<str>, ClaimPath, ClaimType)>,
}

/// A request, ready for the policies.
pub(super) struct Facts {
    pub(super) request: Request,
    pub(super) entities: Entities,
    pub(super) unknown: Unknown,
    /// Whether the caller's address is in the context.
    pub(super) address_known: bool,
}

/// What nobody knows of a caller, as there were more groups than fit into the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    Nothing,
    Groups,
    /// Where groups serve as roles.
    GroupsAndRoles,
}

impl Unknown {
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

impl Names {
    pub(super) fn new(vocabulary: &Vocabulary) -> Result<Self, ConfigErrors> {
        let named = |name: &str| name.parse::<EntityTypeName>().map_err(internal);
        let claims = vocabulary.claims.iter();
        Ok(Self {
            user: named("Portcullis::User")?,
            application: named("Portcullis::Application")?,
            role: named("Portcullis::Role")?,
            group: named("Portcullis::Group")?,
            route: named("Portcullis::Route")?,
            action: named("Portcullis::Action")?,
            claims: claims
                .map(|(name, (path, kind))| (name.clone(), path.clone(), *kind))
                .collect(),
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

    /// What the policies are told about a request of this caller.
    pub(super) fn facts(
        &self,
        token: &AccessToken,
        action: &str,
        resource: &Entity,
        context: Context,
    ) -> Result<Facts, OtherType> {
        let address_known = context.get(ADDRESS).is_some();
        let caller = self.caller(token)?;
        let request = Request::new(
            caller.uid(),
            self.action(action),
            resource.uid(),
            context,
            None,
        )
        .map_err(broken)?;
        let entities = Entities::from_entities([caller, resource.clone()], None).map_err(broken)?;
        let unknown = Unknown::of(token.identity());
        Ok(Facts {
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
            // The schema has no name for such a caller; they are refused before policies are asked.
            Kind::Unknown => return Err(OtherType),
        };
        let issuer = token.issuer().as_str();
        // An issuer has no bar within, so the first one is where the subject begins.
        let subject = identity.subject().unwrap_or_default();
        let mut attributes = Attributes::from([
            ("issuer".to_owned(), string(issuer)),
            ("scopes".to_owned(), strings(token.scopes().iter())),
            ("claims".to_owned(), self.claims(token)?),
        ]);
        let optional = [
            ("subject", identity.subject()),
            ("client", identity.client()),
            ("tenant", identity.tenant()),
        ];
        attributes.extend(
            optional
                .into_iter()
                .filter_map(|(name, it)| Some((name.to_owned(), string(it?)))),
        );
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
        Entity::new(
            uid(kind, &format!("{issuer}|{subject}")),
            attributes,
            parents,
        )
        .map_err(broken)
    }

    /// The claims that the settings name, where the token has them. A type that is another than
    /// they say is nobody's guess.
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

    /// The route that was found.
    pub(super) fn resource(&self, resource: &Resource) -> Result<Entity, OtherType> {
        let attributes = Attributes::from([("path".to_owned(), string(&resource.path))]);
        Entity::new(uid(&self.route, &resource.id), attributes, HashSet::new()).map_err(broken)
    }
}

/// What is told about the request itself.
pub(super) fn context(input: PolicyInput<'_>) -> Result<Context, OtherType> {
    let PolicyInput {
        request,
        resource,
        now,
    } = input;
    let target = &request.target;
    let segments: Vec<&str> = target.path.segments().collect();
    let parameters = resource.parameters.iter().filter_map(|(index, name)| {
        // A path has one reading, which is UTF-8.
        let value = percent_decode_str(segments.get(*index)?).decode_utf8_lossy();
        Some((name.to_string(), string(&value)))
    });
    let address = request.caller.address().map(|address| {
        (
            ADDRESS.to_owned(),
            RestrictedExpression::new_ip(address.to_canonical().to_string()),
        )
    });
    let told = [
        ("method".to_owned(), string(request.method.as_str())),
        ("path".to_owned(), string(target.path.as_str())),
        ("host".to_owned(), string(target.host.name())),
        (
            "time".to_owned(),
            RestrictedExpression::new_datetime(utc(now)),
        ),
        (
            "parameters".to_owned(),
            RestrictedExpression::new_record(parameters).map_err(broken)?,
        ),
    ];
    Context::from_pairs(told.into_iter().chain(address)).map_err(broken)
}

fn claim(value: &Json, kind: ClaimType) -> Result<RestrictedExpression, OtherType> {
    match (kind, value) {
        (ClaimType::String, Json::String(text)) => Ok(string(text)),
        (ClaimType::Bool, Json::Bool(value)) => Ok(RestrictedExpression::new_bool(*value)),
        (ClaimType::Long, value) => value
            .as_i64()
            .map(RestrictedExpression::new_long)
            .ok_or(OtherType),
        // One alone is often not written as a list.
        (ClaimType::Strings, Json::String(text)) => Ok(strings([&**text])),
        (ClaimType::Strings, Json::Array(list)) => {
            let texts: Option<Vec<&str>> = list.iter().map(Json::as_str).collect();
            Ok(strings(texts.ok_or(OtherType)?))
        }
        _ => Err(OtherType),
    }
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

/// Values made of strings, numbers and sets of them do not fail; if they should, nobody can tell.
fn broken<E>(_: E) -> OtherType {
    OtherType
}
