//! Where an issuer's tokens keep the caller, the scopes, the roles and the groups, and how those names become ours.

use super::{Audiences, ClaimPath, Claims};
use crate::dialect::{Dialect, Sign};
use crate::jose::json::{Json, Text};
use std::collections::BTreeMap;

/// Where identity is found in the tokens of one issuer. Of the places for one thing, the first that is there counts;
/// roles and groups are gathered from all of theirs.
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
    /// The mapping of a dialect. Places that name `{audience}` need [`with_audiences`](Self::with_audiences).
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

    /// Puts our own audiences in place of `{audience}`: roles that an issuer keeps for each API apart.
    #[must_use]
    pub fn with_audiences(mut self, audiences: &Audiences) -> Self {
        for places in [&mut self.roles, &mut self.groups] {
            *places = places.iter().flat_map(|path| path.for_audiences(audiences)).collect();
        }
        self
    }

    /// The scopes that count, with their prefix taken off.
    pub(super) fn scopes(&self, claims: &Claims) -> super::Scopes {
        let scopes = claims.scopes();
        match &self.scope_prefix {
            None => scopes,
            Some(prefix) => scopes.iter().filter_map(|scope| scope.strip_prefix(&**prefix)).collect(),
        }
    }

    /// The roles, with those that they include. `groups` are the groups that serve as roles but are not in the claims.
    pub(super) fn roles_among(&self, claims: &Claims, groups: &[Text]) -> Vec<Text> {
        let mut roles = self.names(&self.roles, claims);
        groups.iter().for_each(|group| add(&mut roles, group.clone()));
        if let Some(prefix) = &self.role_prefix {
            roles = roles.iter().filter_map(|role| role.strip_prefix(&**prefix)).map(Text::from).collect();
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

    /// All names at some places: texts, elements of arrays, and the members of an object.
    fn names(&self, places: &[ClaimPath], claims: &Claims) -> Vec<Text> {
        let mut names = Vec::new();
        for value in places.iter().filter_map(|place| place.find(claims)) {
            match value {
                Json::String(text) => self.split(text, &mut names),
                Json::Array(elements) => {
                    let texts = elements.iter().filter_map(|element| match element {
                        Json::String(text) => Some(text.clone()),
                        _ => None,
                    });
                    texts.for_each(|text| add(&mut names, text));
                }
                Json::Object(object) => object.iter().for_each(|(name, _)| add(&mut names, name.into())),
                _ => {}
            }
        }
        names
    }

    fn split(&self, text: &Text, names: &mut Vec<Text>) {
        match self.delimiter {
            Some(delimiter) => text.split(delimiter).map(str::trim).for_each(|name| add(names, name.into())),
            None => add(names, text.clone()),
        }
    }
}

/// Adds a name that is not there yet, and not empty.
fn add(names: &mut Vec<Text>, name: Text) {
    if !name.is_empty() && !names.contains(&name) {
        names.push(name);
    }
}

/// Reads the paths of a dialect, all of which can be read.
fn paths(texts: &[&str]) -> Vec<ClaimPath> {
    texts.iter().filter_map(|text| ClaimPath::parse(text).ok()).collect()
}

impl Sign {
    /// Whether a token shows it.
    pub(super) fn shows(self, claims: &Claims) -> bool {
        let text = |name| claims.claim(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        match self {
            Self::Always => true,
            Self::Is(name, value) => text(name) == Some(value),
            Self::Absent(name) => match claims.claim(name) {
                None => true,
                Some(Json::String(text)) => text.is_empty(),
                Some(_) => false,
            },
            Self::StartsWith(name, start) => text(name).is_some_and(|text| text.starts_with(start)),
            Self::EndsWith(name, end) => text(name).is_some_and(|text| text.ends_with(end)),
            Self::SubjectIsClient => text("sub").is_some() && claims.subject() == claims.client(),
        }
    }
}
