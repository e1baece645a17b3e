//! Where in the claims a value lives: `roles`, `realm_access.roles`, `resource_access."my.api".roles`.

use super::{Audiences, Claims};
use crate::jose::json::Json;
use std::fmt;

/// The name in a path that stands for each of our own audiences.
const AUDIENCE: &str = "{audience}";

/// The names to follow from the claims down to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<Box<str>>);

impl ClaimPath {
    /// Reads a path: names with dots between; a name that holds a dot stands in double quotes.
    ///
    /// # Errors
    ///
    /// An empty path, an empty name, or a quote without its end.
    pub fn parse(text: &str) -> Result<Self, ClaimPathError> {
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let (name, after) = next_name(rest).ok_or(ClaimPathError)?;
            names.push(name.into());
            match after.strip_prefix('.') {
                Some(more) => rest = more,
                None if after.is_empty() => return Ok(Self(names)),
                None => return Err(ClaimPathError),
            }
        }
    }

    /// The path of one claim at the top, taken as it is.
    pub fn claim(name: &str) -> Self {
        Self(vec![name.into()])
    }

    /// This path once for each of our audiences, where it names `{audience}`; else as it is.
    pub(super) fn for_audiences(&self, audiences: &Audiences) -> Vec<Self> {
        if !self.0.iter().any(|name| **name == *AUDIENCE) {
            return vec![self.clone()];
        }
        let filled = |audience: &str| {
            Self(
                self.0
                    .iter()
                    .map(|name| if **name == *AUDIENCE { audience.into() } else { name.clone() })
                    .collect(),
            )
        };
        audiences.iter().map(filled).collect()
    }

    /// The value at this path.
    pub fn find<'c>(&self, claims: &'c Claims) -> Option<&'c Json> {
        let mut names = self.0.iter();
        let first = claims.claim(names.next()?)?;
        names.try_fold(first, |value, name| value.as_object()?.get(name))
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
            Some(Json::Array(elements)) => elements.iter().any(|element| element.as_str() == Some(wanted)),
            Some(value) => value.as_str() == Some(wanted),
            None => false,
        }
    }
}

fn next_name(text: &str) -> Option<(&str, &str)> {
    let (name, after) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => text.find('.').map_or(Some((text, "")), |dot| text.split_at_checked(dot))?,
    };
    (!name.is_empty()).then_some((name, after))
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            if name.contains('.') { write!(f, "{dot}\"{name}\"")? } else { write!(f, "{dot}{name}")? }
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
            "a claim path is written like `roles` or `realm_access.roles`; quote names that hold a dot",
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
    fn refuses_what_is_no_path() {
        for text in ["", ".", "a.", ".a", "a..b", "\"a", "\"a\"b", "\"\""] {
            assert_eq!(ClaimPath::parse(text), Err(ClaimPathError), "{text}");
        }
        assert!(ClaimPathError.to_string().contains("quote names that hold a dot"));
    }
}
