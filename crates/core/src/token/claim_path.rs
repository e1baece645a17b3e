//! Where in the claims a value lives: `roles`, `realm_access.roles`,
//! `resource_access."my.api".roles`.
//!
//! The names of claims are often URLs, so a dot may be part of a name. A claim with the whole path
//! as its name comes first; else the longest name that is there, at each step. A name in double
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
    /// The text between two dots: a name, or part of one.
    Part(Box<str>),
}

impl Name {
    fn text(&self) -> &str {
        match self {
            Self::Whole(text) | Self::Part(text) => text,
        }
    }

    fn is_part(&self) -> bool {
        matches!(self, Self::Part(_))
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

    /// The path of these names. A single name without a dot needs no quotes.
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

    /// The text of an unquoted path, which may be a single name.
    pub(super) fn as_one_name(&self) -> String {
        match self.0.split_first() {
            Some((first, tail)) => join(first, tail),
            None => String::new(),
        }
    }

    /// This path once for each of our audiences if it names `{audience}`; else the path itself.
    pub(super) fn for_audiences(&self, audiences: &Audiences) -> Vec<Self> {
        if !self.0.iter().any(|name| name.text() == AUDIENCE) {
            return vec![self.clone()];
        }
        let mut paths = Vec::new();
        for audience in audiences.iter() {
            let mut names = self.0.clone();
            for name in &mut names {
                if name.text() == AUDIENCE {
                    // The dots of an audience such as `my.api` part nothing.
                    *name = Name::Whole(audience.into());
                }
            }
            paths.push(Self(names));
        }
        paths
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
        self.holds(claims, &Json::from(wanted))
    }

    /// Whether there is a value at this path that is not `null`.
    pub(super) fn is_filled(&self, claims: &Claims) -> bool {
        !matches!(self.find(claims), None | Some(Json::Null))
    }
}

/// The value at these names: below the longest name that is there, else below a shorter one.
fn find<'c>(names: &[Name], object: &'c Object) -> Option<&'c Json> {
    let (first, others) = names.split_first()?;
    let parts = match first {
        Name::Whole(_) => 0,
        Name::Part(_) => others.iter().take_while(|name| name.is_part()).count(),
    };
    // Most paths are one name, and need no text of their own.
    if parts == 0 {
        return below(object.get(first.text())?, others);
    }
    for more in (0..=parts).rev() {
        let (tail, rest) = others.split_at_checked(more)?;
        let found = object.get(&join(first, tail));
        // The longest name counts only if the rest of the path is below it.
        if let Some(value) = found.and_then(|value| below(value, rest)) {
            return Some(value);
        }
    }
    None
}

/// The name that these parts are with dots between.
fn join(first: &Name, tail: &[Name]) -> String {
    let mut name = first.text().to_owned();
    for part in tail {
        name.push('.');
        name.push_str(part.text());
    }
    name
}

fn below<'c>(value: &'c Json, names: &[Name]) -> Option<&'c Json> {
    if names.is_empty() {
        Some(value)
    } else {
        find(names, value.as_object()?)
    }
}

fn next_name(text: &str) -> Option<(Name, &str)> {
    let (name, after) = if let Some(quoted) = text.strip_prefix('"') {
        let (name, after) = quoted.split_once('"')?;
        (Name::Whole(name.into()), after)
    } else {
        let end = text.find('.').unwrap_or(text.len());
        let (name, after) = text.split_at_checked(end)?;
        (Name::Part(name.into()), after)
    };
    if name.text().is_empty() {
        return None;
    }
    Some((name, after))
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

/// The text is not a claim path.
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
        assert!(
            !ClaimPath::parse("a.d")
                .unwrap()
                .holds_text(&claims, "x")
        );
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
