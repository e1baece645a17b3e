//! For whom a token was issued, by signs that the caller cannot choose.
//!
//! People write some of what a token says about them: names, addresses, at some providers the
//! subject. None of that alone makes an application of a person. What looks like both is neither.

use super::Claims;
use crate::dialect::{Dialect, Sign};
use crate::jose::json::Json;
use std::fmt;

/// For whom a token was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// For a user, who lets a client act: a delegated token.
    User,
    /// For an application in its own name, as by client credentials: an application token.
    Application,
    /// Nobody can tell: the token looks like an application's and may be a person's, or names
    /// neither. It meets no demand for either.
    Unknown,
}

impl Kind {
    /// The kind of caller that these claims are about, who is called `subject` and comes by way of
    /// `client`.
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
        let shows = |groups: &[&[Sign]]| {
            groups
                .iter()
                .any(|group| group.iter().all(|sign| signs.show(*sign)))
        };
        if shows(dialect.application) {
            Self::Application
        } else if subject.is_none() {
            let own_name = client.is_some() && !names_a_person(claims, dialect);
            if own_name {
                Self::Application
            } else {
                Self::Unknown
            }
        } else if !signs.somebody_signed_in() && shows(dialect.doubtful) {
            Self::Unknown
        } else {
            Self::User
        }
    }
}

/// Claims about people. Whoever writes one of them did not call in the name of a client alone.
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

/// Whether the claims are about a person, whom they should then name by a subject. A person may be
/// called like a client.
pub(crate) fn names_a_person(claims: &Claims, dialect: &Dialect) -> bool {
    PERSONAL
        .iter()
        .chain(dialect.sign_in)
        .any(|name| is_there(claims, name))
        || matches!(claims.claim("auth_time"), Some(Json::Number(_)))
}

/// What the signs of a dialect are looked for in.
struct Signs<'x> {
    claims: &'x Claims,
    client: Option<&'x str>,
    sign_in: &'static [&'static str],
}

impl Signs<'_> {
    fn show(&self, sign: Sign) -> bool {
        let text = |name| filled(self.claims, name);
        match sign {
            Sign::Always => true,
            Sign::Is(name, value) => text(name) == Some(value),
            Sign::IsNot(name, value) => text(name) != Some(value),
            Sign::Has(name) => is_there(self.claims, name),
            Sign::Absent(name) => !is_there(self.claims, name),
            Sign::StartsWith(name, start) => text(name).is_some_and(|text| text.starts_with(start)),
            Sign::EndsWith(name, end) => text(name).is_some_and(|text| text.ends_with(end)),
            Sign::Lacks(name, part) => text(name).is_none_or(|text| !text.contains(part)),
            Sign::Same(one, other) => text(one).is_some() && text(one) == text(other),
            Sign::OfClient(name, before, after) => {
                let rest =
                    text(name).and_then(|text| text.strip_prefix(before)?.strip_suffix(after));
                rest.is_some() && rest == self.client
            }
            Sign::NobodySignedIn => !self.somebody_signed_in(),
        }
    }

    fn somebody_signed_in(&self) -> bool {
        self.sign_in.iter().any(|name| is_there(self.claims, name))
    }
}

fn filled<'c>(claims: &'c Claims, name: &str) -> Option<&'c str> {
    claims.claim(name)?.as_str().filter(|text| !text.is_empty())
}

/// Whether a claim is there, and neither null nor an empty text.
fn is_there(claims: &Claims, name: &str) -> bool {
    match claims.claim(name) {
        None | Some(Json::Null) => false,
        Some(Json::String(text)) => !text.is_empty(),
        Some(_) => true,
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Application => "application",
            Self::Unknown => "unknown",
        })
    }
}

#[cfg(test)]
#[path = "kind_tests.rs"]
mod tests;
