//! Where in the claims a value lives: `roles`, `realm_access.roles`,
//! `resource_access."my.api".roles`.
//!
//! Claims are often named by URLs, so a dot may be part of a name. A claim that is named by the
//! whole path comes first; else the longest name that is there, at each step. A name in double
//! quotes is one name, whatever it holds.

use super::{Audiences, Claims};
use crate::jose::json::{Json, Object};
use std::fmt;

/// The name in a path that stands for each of our own audiences.
const AUDIENCE: &str = "{audience}";

/// The names to follow from the claims down to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<Name>);

/// One name of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// The whole name of a member.
    Whole(Box<str>),
    /// What stands between two dots: a name, or part of one.
    Part(Box<str>),
}

impl Name {
    fn text(&self) -> &str {
        match self {
            Self::Whole(text) | Self::Part(text) => text,
        }
    }
}

impl ClaimPath {
    /// Reads a path: names with dots between; a name in double quotes may hold a dot.
    ///
    /// # Errors
    ///
    /// An empty path, an empty name, or a quote without its end.
    pub fn parse(text: &str) -> Result<Self, ClaimPathError> {
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let (name, after) = next_name(rest).ok_or(ClaimPathError)?;
            names.push(name);
            match after.strip_prefix('.') {
                Some(more) => rest = more,
                None if after.is_empty() => return Ok(Self::of(names)),
                None => return Err(ClaimPathError),
            }
        }
    }

    /// These names. One alone without a dot needs no quotes.
    fn of(names: Vec<Name>) -> Self {
        match names.as_slice() {
            [Name::Whole(name)] if !name.contains(['.', '"']) => {
                Self(vec![Name::Part(name.clone())])
            }
            _ => Self(names),
        }
    }

    /// The path of one claim at the top, taken as it is.
    pub fn claim(name: &str) -> Self {
        Self::of(vec![Name::Whole(name.into())])
    }

    /// The one name that an unquoted path may be: its text, as it was written.
    pub(super) fn as_one_name(&self) -> String {
        self.0.iter().map(Name::text).collect::<Vec<_>>().join(".")
    }

    /// This path once for each of our audiences, where it names `{audience}`; else as it is.
    pub(super) fn for_audiences(&self, audiences: &Audiences) -> Vec<Self> {
        if !self.0.iter().any(|name| name.text() == AUDIENCE) {
            return vec![self.clone()];
        }
        let filled = |audience: &str| {
            let fill = |name: &Name| match name.text() {
                AUDIENCE => Name::Whole(audience.into()),
                _ => name.clone(),
            };
            Self(self.0.iter().map(fill).collect())
        };
        audiences.iter().map(filled).collect()
    }

    /// The value at this path.
    pub fn find<'c>(&self, claims: &'c Claims) -> Option<&'c Json> {
        find(&self.0, claims.object())
    }

    /// Whether the value at this path is `wanted`, or an array that holds it.
    pub fn holds(&self, claims: &Claims, wanted: &Json) -> bool {
        match self.find(claims) {
            Some(Json::Array(elements)) => elements.contains(wanted),
            Some(value) => value == wanted,
            None => false,
        }
    }

    /// Whether the value at this path is this text, or an array that holds it.
    pub fn holds_text(&self, claims: &Claims, wanted: &str) -> bool {
        match self.find(claims) {
            Some(Json::Array(elements)) => elements
                .iter()
                .any(|element| element.as_str() == Some(wanted)),
            Some(value) => value.as_str() == Some(wanted),
            None => false,
        }
    }
}

/// The value at these names: under the longest name that is there, or else under a shorter one.
fn find<'c>(names: &[Name], object: &'c Object) -> Option<&'c Json> {
    let (first, others) = names.split_first()?;
    let parts = match first {
        Name::Whole(_) => 0,
        Name::Part(_) => others
            .iter()
            .take_while(|name| matches!(name, Name::Part(_)))
            .count(),
    };
    // Most paths are one name.
    if parts == 0 {
        return below(object.get(first.text())?, others);
    }
    (0..=parts).rev().find_map(|more| {
        let (joined, rest) = others.split_at_checked(more)?;
        let name = joined.iter().fold(first.text().to_owned(), |name, part| {
            name + "." + part.text()
        });
        below(object.get(&name)?, rest)
    })
}

fn below<'c>(value: &'c Json, names: &[Name]) -> Option<&'c Json> {
    if names.is_empty() {
        Some(value)
    } else {
        find(names, value.as_object()?)
    }
}

fn next_name(text: &str) -> Option<(Name, &str)> {
    let (name, after) = match text.strip_prefix('"') {
        Some(quoted) => quoted
            .split_once('"')
            .map(|(name, after)| (Name::Whole(name.into()), after))?,
        None => {
            let (name, after) = text.split_at_checked(text.find('.').unwrap_or(text.len()))?;
            (Name::Part(name.into()), after)
        }
    };
    (!name.text().is_empty()).then_some((name, after))
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            match name {
                Name::Whole(name) => write!(f, "{dot}\"{name}\"")?,
                Name::Part(name) => write!(f, "{dot}{name}")?,
            }
        }
        Ok(())
    }
}

/// A text that is no claim path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimPathError;

impl fmt::Display for ClaimPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a claim path is written like `roles` or `realm_access.roles`; quote names that hold \
                a dot",
        )
    }
}

impl std::error::Error for ClaimPathError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::jose::json;

    fn claims(text: &str) -> Claims {
        let Ok(Json::Object(object)) = json::parse(text.as_bytes(), &Limits::default()) else {
            panic!("{text}")
        };
        Claims::from_object(object).unwrap()
    }

    #[test]
    fn follows_names_and_quoted_names() {
        let claims = claims(r#"{"a":{"b.c":{"d":["x","y"]}},"e":"z","n":[1,true]}"#);
        let path = ClaimPath::parse(r#"a."b.c".d"#).unwrap();
        assert_eq!(path.to_string(), r#"a."b.c".d"#);
        assert!(path.holds_text(&claims, "y"));
        assert!(!path.holds_text(&claims, "z"));
        assert!(ClaimPath::claim("e").holds_text(&claims, "z"));
        assert!(ClaimPath::claim("n").holds(&claims, &Json::from(true)));
        assert!(!ClaimPath::parse("a.d").unwrap().holds_text(&claims, "x"));
    }

    #[test]
    fn a_claim_of_exactly_that_name_comes_first() {
        let claims = claims(
            r#"{"https://a.example/roles":["url"],"https://b.example/c":{"roles":"below a url"},"a.b":1,"a":{"b":2,"c":3,"b.d":4},
            "x.y":"not an object","x":{"y":{"z":5}},"resource_access":{"my.api":{"roles":["r"]},"my":{"api":{"roles":["no"]}}}}"#,
        );
        let at = |path: &str| ClaimPath::parse(path).unwrap().find(&claims).cloned();
        let text = |path: &str| at(path).and_then(|value| value.as_str().map(str::to_owned));
        assert!(
            ClaimPath::parse("https://a.example/roles")
                .unwrap()
                .holds_text(&claims, "url")
        );
        assert_eq!(
            text("https://b.example/c.roles").as_deref(),
            Some("below a url")
        );
        assert_eq!(
            text(r#""https://b.example/c".roles"#).as_deref(),
            Some("below a url")
        );
        // Both are there: the whole name counts. In quotes, there is nothing to choose.
        assert_eq!(
            (at("a.b"), at(r#""a".b"#), at(r#""a.b""#)),
            (Some(1.into()), Some(2.into()), Some(1.into()))
        );
        assert_eq!(
            (at("a.c"), at("a.b.d"), at("x.y.z")),
            (Some(3.into()), Some(4.into()), Some(5.into()))
        );
        assert!(
            ClaimPath::parse("resource_access.my.api.roles")
                .unwrap()
                .holds_text(&claims, "r")
        );
        assert_eq!(
            (at("a.b.c"), at("x.y.q"), at(r#"a."b.c""#)),
            (None, None, None)
        );
        assert_eq!(ClaimPath::parse("a.b").unwrap().as_one_name(), "a.b");
    }

    #[test]
    fn a_path_is_written_as_it_was_read() {
        for text in [
            "a",
            "a.b",
            "https://a.example/roles",
            r#"a."b.c".d"#,
            r#""x.y""#,
            r#""x".y"#,
        ] {
            assert_eq!(ClaimPath::parse(text).unwrap().to_string(), text);
        }
        let audiences = Audiences::new(["my.api"]).unwrap();
        let filled = ClaimPath::parse("resource_access.{audience}.roles")
            .unwrap()
            .for_audiences(&audiences);
        assert_eq!(filled[0].to_string(), r#"resource_access."my.api".roles"#);
    }

    #[test]
    fn refuses_what_is_no_path() {
        for text in ["", ".", "a.", ".a", "a..b", "\"a", "\"a\"b", "\"\""] {
            assert_eq!(ClaimPath::parse(text), Err(ClaimPathError), "{text}");
        }
        assert!(
            ClaimPathError
                .to_string()
                .contains("quote names that hold a dot")
        );
    }
}
