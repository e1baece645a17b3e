//! Who calls, mapped once from the claims of a verified token, whichever provider wrote them.

use super::{Claims, Kind, Mapping, Scopes};
use crate::dialect::Dialect;
use crate::jose::json::{Json, Text};
use std::fmt;

/// The caller of a request, in our words.
///
/// A subject means something only together with its issuer, and a role only together with its
/// [`Kind`]: some providers give applications and users the same roles.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    kind: Kind,
    subject: Option<Text>,
    client: Option<Text>,
    tenant: Option<Text>,
    scopes: Scopes,
    roles: Membership,
    groups: Membership,
}

/// What a caller is a member of.
#[derive(Clone, PartialEq, Eq)]
pub enum Membership {
    /// These, and no others.
    Known(Vec<Text>),
    /// Nobody can tell from the token: there are more than fit into it. This is never the same as
    /// none.
    Unknown,
}

impl Identity {
    /// Reads the identity out of verified claims.
    pub(crate) fn of(claims: &Claims, dialect: &Dialect, mapping: &Mapping) -> Self {
        let first = |places: &[super::ClaimPath]| {
            places.iter().find_map(|place| match place.find(claims) {
                Some(Json::String(text)) if !text.is_empty() => Some(text.clone()),
                _ => None,
            })
        };
        let (subject, client) = (first(&mapping.subject), first(&mapping.client));
        let named = subject.as_deref().or(claims.subject());
        let kind = Kind::of(claims, dialect, named, client.as_deref());
        let groups = if dialect.group_overage && has_group_overage(claims) {
            Membership::Unknown
        } else {
            Membership::Known(mapping.groups(claims))
        };
        Self {
            kind,
            // A client stands for itself, and for nobody whom it does not name.
            subject: subject.or_else(|| client.clone().filter(|_| kind == Kind::Application)),
            client,
            tenant: first(&mapping.tenant),
            scopes: mapping.scopes(claims),
            roles: roles(claims, mapping, &groups),
            groups,
        }
    }

    /// Whether a user or an application calls, as far as anybody can tell.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The stable identifier of the caller, unique within its issuer; of an application without a
    /// subject, its client id.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The client that the token was issued to.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// The tenant, organization or project of the caller, where the provider has such a thing.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The scopes that were granted.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The caller's roles, with those that they include.
    pub fn roles(&self) -> &Membership {
        &self.roles
    }

    /// The caller's groups.
    pub fn groups(&self) -> &Membership {
        &self.groups
    }

    /// The same caller, with groups that were asked for elsewhere because the token could not hold
    /// them.
    pub(super) fn with_groups(
        &self,
        groups: Vec<Text>,
        claims: &Claims,
        mapping: &Mapping,
    ) -> Self {
        let groups = Membership::Known(groups);
        Self {
            roles: roles(claims, mapping, &groups),
            groups,
            ..self.clone()
        }
    }
}

/// The roles; where groups serve as roles, they are as unknown as the groups are.
fn roles(claims: &Claims, mapping: &Mapping, groups: &Membership) -> Membership {
    let from_groups = mapping
        .roles
        .iter()
        .any(|path| mapping.groups.contains(path));
    match groups {
        Membership::Unknown if from_groups => Membership::Unknown,
        Membership::Known(groups) if from_groups => {
            Membership::Known(mapping.roles_among(claims, groups))
        }
        _ => Membership::Known(mapping.roles_among(claims, &[])),
    }
}

/// Entra ID: the groups are too many for the token. Where they are is not asked of the token: we
/// know better.
fn has_group_overage(claims: &Claims) -> bool {
    let sources = claims.claim("_claim_names").and_then(Json::as_object);
    let named = sources.is_some_and(|names| names.get("groups").is_some());
    let implicit = match claims.claim("hasgroups") {
        Some(Json::Bool(has)) => *has,
        Some(Json::String(has)) => **has == *"true",
        _ => false,
    };
    named || implicit
}

impl Membership {
    /// Whether this name is among them; `None` where nobody can tell.
    pub fn holds(&self, name: &str) -> Option<bool> {
        match self {
            Self::Known(names) => Some(names.iter().any(|held| **held == *name)),
            Self::Unknown => None,
        }
    }

    /// The names, none where they are unknown.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let names: &[Text] = match self {
            Self::Known(names) => names,
            Self::Unknown => &[],
        };
        names.iter().map(|name| &**name)
    }

    /// Whether nobody can tell.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

/// Shows how many there are only.
impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(names) => write!(f, "{} names", names.len()),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// Shows the kind only.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a caller of kind {}", self.kind)
    }
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
