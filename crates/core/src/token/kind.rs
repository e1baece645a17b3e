//! For whom a token was issued, by signs that the caller cannot choose.
//!
//! People choose some of the claims about them: names, addresses, at some providers the subject. No
//! such claim alone makes a person an application. A token that looks like both is of neither kind.

use super::Claims;
use crate::dialect::{Dialect, Sign};
use crate::jose::json::Json;
use std::fmt;

// Exhaustive on purpose: code that forgets `Unknown` would let a caller of unknown kind pass.
/// For whom a token was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// For a user, who lets a client act: a delegated token.
    User,
    /// For an application in its own name, as by client credentials: an application token.
    Application,
    /// Not known: the token looks like an application's and may be a person's, or names neither. It
    /// meets no demand for either.
    Unknown,
}

impl Kind {
    /// The kind of caller that these claims are about. `subject` is the caller's name, `client` the
    /// client that the token was issued to.
    pub(crate) fn of(
        claims: &Claims,
        dialect: &Dialect,
        subject: Option<&str>,
        client: Option<&str>,
    ) -> Self {
        let signs = Signs {
            claims,
            client,
            sign_in: dialect.sign_in,
        };
        if signs.show_any(dialect.application) {
            return Self::Application;
        }
        if subject.is_none() {
            // A client that names nobody else calls for itself, unless the claims name a person.
            let is_alone = client.is_some()
                && signs.show_any(dialect.alone)
                && !names_a_person(claims, dialect);
            return if is_alone {
                Self::Application
            } else {
                Self::Unknown
            };
        }
        // A person may have chosen to look like an application. Such a token is of neither kind.
        if !signs.somebody_signed_in() && signs.show_any(dialect.doubtful) {
            return Self::Unknown;
        }
        Self::User
    }
}

/// Claims about people. A token with one of them is not for a client alone.
const PERSONAL: &[&str] = &[
    "username",
    "preferred_username",
    "email",
    "upn",
    "unique_name",
    "given_name",
    "family_name",
    "phone_number",
];

/// Whether the claims are about a person. They should then name the person by a subject.
pub(crate) fn names_a_person(claims: &Claims, dialect: &Dialect) -> bool {
    let mut names = PERSONAL.iter().chain(dialect.sign_in);
    // Only a number says when somebody signed in.
    matches!(claims.claim("auth_time"), Some(Json::Number(_)))
        || names.any(|name| is_there(claims, name))
}

/// The claims in which the signs of a dialect are looked for.
struct Signs<'x> {
    claims: &'x Claims,
    client: Option<&'x str>,
    sign_in: &'static [&'static str],
}

impl<'x> Signs<'x> {
    /// Whether all signs of one group are there.
    fn show_any(&self, groups: &[&[Sign]]) -> bool {
        groups.iter().any(|group| self.show_all(group))
    }

    fn show_all(&self, group: &[Sign]) -> bool {
        group.iter().all(|sign| self.show(*sign))
    }

    fn show(&self, sign: Sign) -> bool {
        match sign {
            Sign::Always => true,
            Sign::Is(name, value) => self.text(name) == value,
            Sign::IsNot(name, value) => self.text(name) != value,
            Sign::Has(name) => is_there(self.claims, name),
            Sign::Absent(name) => !is_there(self.claims, name),
            Sign::StartsWith(name, start) => self.text(name).starts_with(start),
            Sign::EndsWith(name, end) => self.text(name).ends_with(end),
            Sign::Lacks(name, part) => !self.text(name).contains(part),
            Sign::Same(one, other) => {
                let text = self.text(one);
                !text.is_empty() && text == self.text(other)
            }
            Sign::OfClient(name, before, after) => self.names_client(name, before, after),
            Sign::NobodySignedIn => !self.somebody_signed_in(),
        }
    }

    /// Whether a claim is the client's id between these two texts.
    fn names_client(&self, name: &str, before: &str, after: &str) -> bool {
        let text = self.text(name);
        let id = text
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after));
        !text.is_empty() && id.is_some() && id == self.client
    }

    fn somebody_signed_in(&self) -> bool {
        self.sign_in
            .iter()
            .any(|name| is_there(self.claims, name))
    }

    /// The text of a claim; empty if it has none. No sign asks for an empty text.
    fn text(&self, name: &str) -> &'x str {
        let text = self.claims.claim(name).and_then(Json::as_str);
        text.unwrap_or_default()
    }
}

/// Whether a claim is there, and neither null nor an empty text.
fn is_there(claims: &Claims, name: &str) -> bool {
    match claims.claim(name) {
        None | Some(Json::Null) => false,
        Some(Json::String(text)) => !text.is_empty(),
        Some(_) => true,
    }
}

impl Kind {
    /// `user`, `application` or `unknown`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Application => "application",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
#[path = "kind_tests.rs"]
mod tests;
