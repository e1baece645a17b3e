//! Where an issuer's tokens keep the caller, the scopes, the roles and the groups, and how those
//! names become ours.

use super::{Audiences, ClaimPath, Claims};
use crate::dialect::{self, Dialect};
use crate::jose::json::{Json, Object, Text};
use std::collections::BTreeMap;

/// Where identity is found in the tokens of one issuer. Of the places for one thing, the first that
/// is there counts; roles and groups are gathered from all of theirs.
#[derive(Clone, Debug, PartialEq)]
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
    /// What parts a text that lists several roles or groups. Default none: a text is one name.
    pub delimiter: Option<char>,
    /// What our roles begin with in the token; others count for nothing, and it is taken off.
    pub role_prefix: Option<Box<str>>,
    /// What our scopes begin with in the token; others count for nothing, and it is taken off.
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
            delimiter: None,
            role_prefix: None,
            scope_prefix: None,
            role_includes: BTreeMap::new(),
        }
    }

    /// Puts our own audiences in place of `{audience}`: roles that an issuer keeps for each API
    /// apart.
    #[must_use]
    pub fn with_audiences(mut self, audiences: &Audiences) -> Self {
        for places in [&mut self.roles, &mut self.groups] {
            *places = places
                .iter()
                .flat_map(|path| path.for_audiences(audiences))
                .collect();
        }
        self
    }

    /// What the operator set a place for, and whether there is something at one of the places.
    pub(crate) fn own_places<'m>(
        &'m self,
        dialect: &Dialect,
        audiences: &Audiences,
        claims: &Claims,
    ) -> impl Iterator<Item = (&'static str, &'m [ClaimPath], bool)> + use<'m> {
        let usual = Self::of(dialect).with_audiences(audiences);
        let things = [
            ("subject", &self.subject, &usual.subject),
            ("roles", &self.roles, &usual.roles),
            ("groups", &self.groups, &usual.groups),
            ("acr", &self.acr, &usual.acr),
            ("auth_time", &self.auth_time, &usual.auth_time),
        ];
        let own = things.map(|(member, places, usual)| {
            let found = places
                .iter()
                .any(|place| place.find(claims).is_some_and(|value| *value != Json::Null));
            (places != usual).then_some((member, places.as_slice(), found))
        });
        own.into_iter().flatten()
    }

    /// The scopes that count, with their prefix taken off.
    pub(super) fn scopes(&self, claims: &Claims) -> super::Scopes {
        let scopes = claims.scopes();
        match &self.scope_prefix {
            None => scopes,
            Some(prefix) => scopes
                .iter()
                .filter_map(|scope| scope.strip_prefix(&**prefix))
                .collect(),
        }
    }

    /// The roles, with those that they include. `groups` are the groups that serve as roles but are
    /// not in the claims.
    pub(super) fn roles_among(&self, claims: &Claims, groups: &[Text]) -> Vec<Text> {
        let mut roles = self.names(&self.roles, claims);
        groups
            .iter()
            .for_each(|group| add(&mut roles, group.clone()));
        if let Some(prefix) = &self.role_prefix {
            roles = roles
                .iter()
                .filter_map(|role| role.strip_prefix(&**prefix))
                .map(Text::from)
                .collect();
        }
        let mut at = 0;
        while let Some(role) = roles.get(at).cloned() {
            let included = self.role_includes.get(&*role).into_iter().flatten();
            included.for_each(|name| add(&mut roles, Text::from(&**name)));
            at += 1;
        }
        roles.shrink_to_fit();
        roles
    }

    /// The groups.
    pub(super) fn groups(&self, claims: &Claims) -> Vec<Text> {
        self.names(&self.groups, claims)
    }

    /// All names at some places: texts, and texts in arrays. The members of an object are names
    /// only where a provider is known to write them so.
    fn names(&self, places: &[ClaimPath], claims: &Claims) -> Vec<Text> {
        let mut names = Vec::new();
        for (place, value) in places
            .iter()
            .filter_map(|place| Some((place, place.find(claims)?)))
        {
            let by_name = dialect::names_are_members(&place.as_one_name());
            match value {
                Json::String(text) => self.split(text, &mut names),
                Json::Object(object) if by_name => members(object, &mut names),
                Json::Array(elements) => elements.iter().for_each(|element| match element {
                    Json::String(text) => add(&mut names, text.clone()),
                    Json::Object(object) if by_name => members(object, &mut names),
                    _ => {}
                }),
                _ => {}
            }
        }
        names
    }

    fn split(&self, text: &Text, names: &mut Vec<Text>) {
        match self.delimiter {
            Some(delimiter) => text
                .split(delimiter)
                .map(str::trim)
                .for_each(|name| add(names, name.into())),
            None => add(names, text.clone()),
        }
    }
}

/// The names of members whose value says where they are held: an object with texts, and nothing
/// else.
fn members(object: &Object, names: &mut Vec<Text>) {
    let held = |value: &Json| {
        let places = value.as_object().filter(|places| !places.is_empty());
        places.is_some_and(|places| {
            places
                .iter()
                .all(|(_, at)| at.as_str().is_some_and(|at| !at.is_empty()))
        })
    };
    object
        .iter()
        .filter(|(_, value)| held(value))
        .for_each(|(name, _)| add(names, name.into()));
}

/// Adds a name that is not there yet, and not blank.
fn add(names: &mut Vec<Text>, name: Text) {
    if !name.trim().is_empty() && !names.contains(&name) {
        names.push(name);
    }
}

/// Reads the paths of a dialect, all of which can be read.
fn paths(texts: &[&str]) -> Vec<ClaimPath> {
    texts
        .iter()
        .filter_map(|text| ClaimPath::parse(text).ok())
        .collect()
}
