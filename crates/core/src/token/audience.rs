//! Audiences (RFC 7519, section 4.1.3): whom a token is for, and who we are.

use crate::config::ConfigError;
use crate::jose::json::Json;
use std::fmt;

/// The audiences that this resource server answers to: at least one, none empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audiences(Vec<Box<str>>);

impl Audiences {
    /// Our own audiences.
    ///
    /// # Errors
    ///
    /// An empty list, or an empty name: tokens for any audience can never be accepted.
    pub fn new<I: IntoIterator<Item = S>, S: Into<Box<str>>>(
        names: I,
    ) -> Result<Self, ConfigError> {
        let names: Vec<Box<str>> = names.into_iter().map(Into::into).collect();
        // A blank audience could be met by a blank claim.
        let found = match names.iter().any(|name| name.trim().is_empty()) {
            true => "an empty one",
            false if names.is_empty() => "none",
            false => return Ok(Self(names)),
        };
        let help = "write the identifier that the identity provider puts into `aud` for this API";
        Err(
            ConfigError::expected("audience", "at least one audience, none of them empty")
                .found_as(found)
                .help(help),
        )
    }

    /// The audiences, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Whether one of them is among what the `aud` claim holds: a string, or an array of strings.
    pub fn meet(&self, claim: &Json) -> bool {
        match claim {
            Json::String(text) => self.holds(text),
            Json::Array(elements) => elements
                .iter()
                .filter_map(Json::as_str)
                .any(|text| self.holds(text)),
            _ => false,
        }
    }

    /// Whether this is one of them. They compare whole and with case: a prefix of an audience is
    /// another API.
    fn holds(&self, text: &str) -> bool {
        self.iter().any(|own| own == text)
    }
}

impl fmt::Display for Audiences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            write!(f, "{}`{name}`", if index == 0 { "" } else { " or " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_required() {
        assert!(Audiences::new(Vec::<String>::new()).is_err());
        assert!(Audiences::new(["api", " "]).is_err());
    }

    #[test]
    fn whole_names_only() {
        let own = Audiences::new(["api://orders"]).unwrap();
        assert!(own.meet(&Json::from("api://orders")));
        assert!(own.meet(&Json::Array(vec![
            Json::from("x"),
            Json::from("api://orders")
        ])));
        for other in [
            "api://orders/",
            "api://order",
            "API://orders",
            "api://orders x",
            "*",
            "",
        ] {
            assert!(!own.meet(&Json::from(other)), "{other}");
        }
        assert!(!own.meet(&Json::Null));
        assert_eq!(
            Audiences::new(["a", "b"]).unwrap().to_string(),
            "`a` or `b`"
        );
    }
}
