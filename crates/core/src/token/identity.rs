//! The caller's identity, mapped once from the claims of a verified token.

use super::{ClaimPath, Claims, Kind, Mapping, Scopes};
use crate::dialect::Dialect;
use crate::jose::json::{Json, Text};
use std::fmt;

/// The caller of a request, in the same words for every provider.
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

// Exhaustive on purpose: code that forgets `Unknown` would take it for none.
/// The roles or groups of a caller.
#[derive(Clone, PartialEq, Eq)]
pub enum Membership {
    /// These, and no others.
    Known(Vec<Text>),
    /// The token does not say: there are more than fit into it. This is never the same as none.
    Unknown,
}

impl Identity {
    /// Reads the identity out of verified claims.
    pub(crate) fn of(claims: &Claims, dialect: &Dialect, mapping: &Mapping) -> Self {
        let subject = first_text(claims, &mapping.subject);
        let client = first_text(claims, &mapping.client);
        // A person whom the mapping does not find may still be named by `sub`.
        let name = subject.as_deref().or(claims.subject());
        let kind = Kind::of(claims, dialect, name, client.as_deref());
        let groups = if dialect.group_overage && has_group_overage(claims) {
            Membership::Unknown
        } else {
            Membership::Known(mapping.groups(claims))
        };
        Self {
            kind,
            subject: match (subject, kind) {
                // An application without a subject is known by its client id.
                (None, Kind::Application) => client.clone(),
                (subject, _) => subject,
            },
            client,
            tenant: first_text(claims, &mapping.tenant),
            scopes: mapping.scopes(claims),
            roles: roles(claims, mapping, &groups),
            groups,
        }
    }

    /// Whether a user or an application calls, as far as the token shows it.
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

    /// The tenant, organization or project of the caller, if the provider has one.
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

    /// The same caller, with groups that were looked up because the token could not hold them.
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

/// The text at the first of these places that has one.
fn first_text(claims: &Claims, places: &[ClaimPath]) -> Option<Text> {
    for place in places {
        if let Some(Json::String(text)) = place.find(claims)
            && !text.is_empty()
        {
            return Some(text.clone());
        }
    }
    None
}

/// The roles. If groups serve as roles, they are as unknown as the groups are.
fn roles(claims: &Claims, mapping: &Mapping, groups: &Membership) -> Membership {
    let mut role_places = mapping.roles.iter();
    let from_groups = role_places.any(|place| mapping.groups.contains(place));
    match groups {
        Membership::Unknown if from_groups => Membership::Unknown,
        Membership::Known(groups) if from_groups => {
            Membership::Known(mapping.roles_among(claims, groups))
        }
        _ => Membership::Known(mapping.roles_among(claims, &[])),
    }
}

/// Entra ID: whether the groups are too many for the token.
fn has_group_overage(claims: &Claims) -> bool {
    // `_claim_sources` beside it holds a URL for the groups. It is never asked: a token must not
    // choose where this server connects to.
    if let Some(Json::Object(names)) = claims.claim("_claim_names")
        && names.get("groups").is_some()
    {
        return true;
    }
    match claims.claim("hasgroups") {
        Some(Json::Bool(has)) => *has,
        Some(Json::String(has)) => **has == *"true",
        _ => false,
    }
}

impl Membership {
    /// Whether this name is among them; `None` if that is unknown.
    pub fn holds(&self, name: &str) -> Option<bool> {
        match self {
            Self::Known(names) => Some(names.iter().any(|member| **member == *name)),
            Self::Unknown => None,
        }
    }

    /// The names; empty if they are unknown.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let names: &[Text] = match self {
            Self::Known(names) => names,
            Self::Unknown => &[],
        };
        names.iter().map(|name| &**name)
    }

    /// Whether they are unknown.
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
