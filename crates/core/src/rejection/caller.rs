//! Who was refused after verification, and what the token lacks: for the operator's log and
//! records, never for the client.
//!
//! Only names of scopes, roles, groups and the like are shown, and only of the kinds that the
//! requirement names. Their number and their length are bounded; no value of another claim is
//! shown.

use super::facts::quote;
use serde::{Serialize, Serializer};
use std::fmt;

/// Most names of one kind.
const MOST: usize = 16;
/// Most characters of a name.
const LONGEST: usize = 80;

/// The caller of a request that was refused after its token was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedCaller {
    /// The issuer of the token.
    pub issuer: Box<str>,
    /// `user`, `application` or `unknown`.
    pub kind: &'static str,
    /// The stable identifier of the caller.
    pub subject: Option<Box<str>>,
    /// The client that the token was issued to.
    pub client: Option<Box<str>>,
    /// The tenant of the caller.
    pub tenant: Option<Box<str>>,
    /// What the policy demanded, and what the token has; `None` if no policy refused it.
    pub shortfall: Option<Shortfall>,
}

impl RefusedCaller {
    /// A caller of this issuer and kind, with no name yet.
    pub(crate) fn new(issuer: &str, kind: &'static str) -> Self {
        Self {
            issuer: issuer.into(),
            kind,
            subject: None,
            client: None,
            tenant: None,
            shortfall: None,
        }
    }
}

/// What a requirement demands by name, and what the token has of the same kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shortfall {
    /// What was demanded, anywhere in the requirement. How its parts belong together is in the
    /// facts of the rejection.
    pub required: Entitlements,
    /// What the token has of the same kinds.
    pub present: Entitlements,
}

/// Scopes, roles and the like, by name. A kind that does not matter is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entitlements {
    /// Scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Names>,
    /// Roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Names>,
    /// Groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Names>,
    /// `user`, `application` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Names>,
    /// How the user signed in (`acr`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<Names>,
    /// Audiences: all of the token, and those of which it must have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Names>,
    /// How the token is bound: `dpop`, `mtls`; of a demand also `any`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<Names>,
    /// The names of claims with a demanded value. Their values are never shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Names>,
    /// Seconds since the user signed in: at most so many, or so many now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in_age: Option<u64>,
}

/// Some names, or that they are unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    names: Vec<String>,
    left_out: usize,
    unknown: bool,
}

impl Entitlements {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Names {
    pub(crate) fn of<'n>(all: impl Iterator<Item = &'n str>) -> Self {
        let mut names = Self::default();
        for name in all {
            names.push("", name);
        }
        names
    }

    /// Names of which there are more than fit into the token.
    pub(crate) fn unknown() -> Self {
        Self {
            unknown: true,
            ..Self::default()
        }
    }

    /// Adds a name once, as far as there is room.
    pub(crate) fn push(&mut self, mark: &str, name: &str) {
        // A token may have thousands: those are counted only.
        if self.names.len() >= MOST {
            self.left_out += 1;
            return;
        }
        let name = format!("{mark}{}", cut(name));
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    /// The names that are shown.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// How many further names there are.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether it is known that there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.unknown
    }

    /// Whether there are more of them than fit into the token.
    pub fn is_unknown(&self) -> bool {
        self.unknown
    }
}

/// A name from a token or from the settings, within its bound.
fn cut(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}

/// A list of texts, with a last one that counts those left out; or `unknown`.
impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.unknown {
            return serializer.serialize_str("unknown");
        }
        let more = (self.left_out > 0).then(|| format!("... {} more", self.left_out));
        serializer.collect_seq(self.names.iter().chain(&more))
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unknown {
            return f.write_str("more than fit into the token");
        }
        for (index, name) in self.names.iter().enumerate() {
            let between = if index == 0 { "" } else { ", " };
            write!(f, "{between}{}", quote(name))?;
        }
        match self.left_out {
            0 => Ok(()),
            more => write!(f, ", ... {more} more"),
        }
    }
}

/// In words: "scopes `a`, `b`; no roles".
impl fmt::Display for Entitlements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (name, names) in [
            ("scopes", &self.scopes),
            ("roles", &self.roles),
            ("groups", &self.groups),
            ("kind", &self.kind),
            ("acr", &self.acr),
            ("audience", &self.audience),
            ("claims", &self.claims),
        ] {
            if let Some(names) = names {
                match names.is_empty() {
                    true => write!(f, "{between}no {name}")?,
                    false => write!(f, "{between}{name} {names}")?,
                }
                between = "; ";
            }
        }
        match self.sign_in_age {
            Some(age) => write!(f, "{between}a sign-in {age} s ago"),
            None => Ok(()),
        }
    }
}
