//! Where an issuer's tokens keep the caller, the scopes, the roles and the groups, and how their
//! names translate into ours.

use super::{Audiences, ClaimPath, Claims};
use crate::dialect::{self, Dialect};
use crate::jose::json::{Json, Object, Text};
use std::collections::BTreeMap;

/// Where identity is found in the tokens of one issuer. Of several places, the first that is there
/// counts; roles and groups are gathered from all of theirs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Mapping {
    /// The stable identifier of the caller.
    pub subject: Vec<ClaimPath>,
    /// The client that the token was issued to.
    pub client: Vec<ClaimPath>,
    /// The tenant of the caller.
    pub tenant: Vec<ClaimPath>,
    /// The roles.
    pub roles: Vec<ClaimPath>,
    /// The groups.
    pub groups: Vec<ClaimPath>,
    /// How the user signed in.
    pub acr: Vec<ClaimPath>,
    /// When the user signed in.
    pub auth_time: Vec<ClaimPath>,
    /// The user's email address, by which security events may name the user. Default none: an
    /// address can change hands.
    pub email: Vec<ClaimPath>,
    /// The separator in a text that lists several roles or groups. Default none: a text is one
    /// name.
    pub delimiter: Option<char>,
    /// The prefix of our roles in the token. It is removed; roles without it are ignored.
    pub role_prefix: Option<Box<str>>,
    /// The prefix of our scopes in the token. It is removed; scopes without it are ignored.
    pub scope_prefix: Option<Box<str>>,
    /// The roles that a role includes, and those that they include in turn.
    pub role_includes: BTreeMap<Box<str>, Vec<Box<str>>>,
}

impl Mapping {
    /// The mapping of a dialect. Places that name `{audience}` need
    /// [`with_audiences`](Self::with_audiences).
    pub fn of(dialect: &Dialect) -> Self {
        Self {
            subject: paths(dialect.subject),
            client: paths(dialect.client),
            tenant: paths(dialect.tenant),
            roles: paths(dialect.roles),
            groups: paths(dialect.groups),
            acr: paths(dialect.acr),
            auth_time: paths(dialect.auth_time),
            email: Vec::new(),
            delimiter: None,
            role_prefix: None,
            scope_prefix: None,
            role_includes: BTreeMap::new(),
        }
    }

    /// Replaces `{audience}` by our own audiences: some issuers keep the roles of each API apart.
    #[must_use]
    pub fn with_audiences(mut self, audiences: &Audiences) -> Self {
        for places in [&mut self.roles, &mut self.groups] {
            let mut own = Vec::new();
            for path in &*places {
                own.extend(path.for_audiences(audiences));
            }
            *places = own;
        }
        self
    }

    /// The settings that the operator changed, each with its places and whether one of them has a
    /// value.
    pub(crate) fn own_places<'m>(
        &'m self,
        dialect: &Dialect,
        audiences: &Audiences,
        claims: &Claims,
    ) -> Vec<(&'static str, &'m [ClaimPath], bool)> {
        let usual = Self::of(dialect).with_audiences(audiences);
        let mut own = Vec::new();
        for (member, places, usual) in [
            ("subject", &self.subject, &usual.subject),
            ("roles", &self.roles, &usual.roles),
            ("groups", &self.groups, &usual.groups),
            ("acr", &self.acr, &usual.acr),
            ("auth_time", &self.auth_time, &usual.auth_time),
            ("email", &self.email, &usual.email),
        ] {
            if places != usual {
                let found = places.iter().any(|place| place.is_filled(claims));
                own.push((member, places.as_slice(), found));
            }
        }
        own
    }

    /// The scopes that count, without their prefix.
    pub(super) fn scopes(&self, claims: &Claims) -> super::Scopes {
        let scopes = claims.scopes();
        let Some(prefix) = self.scope_prefix.as_deref() else {
            return scopes;
        };
        // A scope of another API may have the same name behind its own prefix.
        scopes
            .iter()
            .filter_map(|scope| scope.strip_prefix(prefix))
            .collect()
    }

    /// The roles, with those that they include. `groups` are the groups that serve as roles but are
    /// not in the claims.
    pub(super) fn roles_among(&self, claims: &Claims, groups: &[Text]) -> Vec<Text> {
        let mut roles = self.names(&self.roles, claims);
        for group in groups {
            add(&mut roles, group.clone());
        }
        if let Some(prefix) = self.role_prefix.as_deref() {
            roles = roles
                .iter()
                .filter_map(|role| role.strip_prefix(prefix))
                .map(Text::from)
                .collect();
        }
        self.add_included(&mut roles);
        // A verified token stays in the cache, so spare room would stay with it.
        roles.shrink_to_fit();
        roles
    }

    /// Adds the roles that these include, and those that they include in turn.
    fn add_included(&self, roles: &mut Vec<Text>) {
        // The list grows while it is read. Each role is added once, so a circle comes to an end.
        let mut at = 0;
        while let Some(role) = roles.get(at).cloned() {
            for name in self.role_includes.get(&*role).into_iter().flatten() {
                add(roles, Text::from(&**name));
            }
            at += 1;
        }
    }

    /// The groups.
    pub(super) fn groups(&self, claims: &Claims) -> Vec<Text> {
        self.names(&self.groups, claims)
    }

    /// All names at some places: texts, and texts in arrays. The members of an object are names
    /// only if a provider is known to write them so.
    fn names(&self, places: &[ClaimPath], claims: &Claims) -> Vec<Text> {
        let mut names = Vec::new();
        for place in places {
            let Some(value) = place.find(claims) else {
                continue;
            };
            let by_member = dialect::names_are_members(&place.as_one_name());
            match value {
                Json::String(text) => self.add_parts(text, &mut names),
                Json::Object(object) if by_member => add_members(object, &mut names),
                Json::Array(elements) => add_elements(elements, by_member, &mut names),
                _ => {}
            }
        }
        names
    }

    /// Adds a text that may list several names.
    fn add_parts(&self, text: &Text, names: &mut Vec<Text>) {
        let Some(delimiter) = self.delimiter else {
            return add(names, text.clone());
        };
        for name in text.split(delimiter) {
            add(names, name.trim().into());
        }
    }
}

/// Adds the elements of an array. They are never taken apart: the issuer has done that already.
fn add_elements(elements: &[Json], by_member: bool, names: &mut Vec<Text>) {
    for element in elements {
        match element {
            Json::String(text) => add(names, text.clone()),
            Json::Object(object) if by_member => add_members(object, names),
            _ => {}
        }
    }
}

/// Adds the names of members whose value says where the caller has them.
fn add_members(object: &Object, names: &mut Vec<Text>) {
    for (name, value) in object.iter() {
        // `{"admin": false}` and `{"admin": {}}` may as well say that somebody is no admin.
        if says_where(value) {
            add(names, name.into());
        }
    }
}

/// Whether the value of a member is an object with texts, and nothing else.
fn says_where(value: &Json) -> bool {
    let Json::Object(places) = value else {
        return false;
    };
    let mut all = !places.is_empty();
    for (_, place) in places.iter() {
        all &= matches!(place, Json::String(text) if !text.is_empty());
    }
    all
}

/// Adds a name unless it is there or blank.
fn add(names: &mut Vec<Text>, name: Text) {
    if !name.trim().is_empty() && !names.contains(&name) {
        names.push(name);
    }
}

/// Reads the paths of a dialect.
fn paths(texts: &[&str]) -> Vec<ClaimPath> {
    // All of them can be read: a test of the dialects holds them to it.
    texts
        .iter()
        .copied()
        .flat_map(ClaimPath::parse)
        .collect()
}
