//! The facts about a caller that headers can carry, and how they are written.

use crate::identity::assertion::{AssertionContext, Assertions};
use crate::refusal::Refusal;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use portcullis_core::jose::json::{Json, Number};
use portcullis_core::token::{AccessToken, ClaimPath, Membership};
use std::borrow::Cow;

/// The fact that a header carries.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    Subject,
    Client,
    Tenant,
    Kind,
    Scopes,
    Roles,
    Groups,
    Issuer,
    Claim(ClaimPath),
    /// All facts, signed.
    Assertion(Assertions),
}

impl Fact {
    /// The value of the header; `None` if the token has none.
    pub(super) fn text<'t>(
        &self,
        token: &'t AccessToken,
        to: AssertionContext<'_>,
    ) -> Result<Option<Cow<'t, str>>, Refusal> {
        if let Self::Assertion(assertions) = self {
            return Ok(Some(assertions.sign(token, to)?.into()));
        }
        Ok(self.plain(token))
    }

    /// The value of a header without a signature.
    fn plain<'t>(&self, token: &'t AccessToken) -> Option<Cow<'t, str>> {
        let identity = token.identity();
        match self {
            Self::Assertion(_) => None,
            Self::Subject => identity.subject().map(encode),
            Self::Client => identity.client().map(encode),
            Self::Tenant => identity.tenant().map(encode),
            Self::Kind => Some(identity.kind().name().into()),
            Self::Roles => members(identity.roles()),
            Self::Groups => members(identity.groups()),
            Self::Issuer => Some(encode(token.issuer().as_str())),
            Self::Scopes => join(identity.scopes().iter().map(encode), " "),
            Self::Claim(path) => claim(path.find(token.claims())?),
        }
    }

    /// Reads the name of a fact.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "subject" => Self::Subject,
            "client" => Self::Client,
            "tenant" => Self::Tenant,
            "kind" => Self::Kind,
            "scopes" => Self::Scopes,
            "roles" => Self::Roles,
            "groups" => Self::Groups,
            "issuer" => Self::Issuer,
            _ => {
                let path = text.strip_prefix("claim:").ok_or(WORDS)?;
                Self::Claim(ClaimPath::parse(path).map_err(|error| error.to_string())?)
            }
        })
    }
}

const WORDS: &str = "`subject`, `client`, `tenant`, `kind`, `scopes`, `roles`, `groups`, `issuer`, \
    or `claim:` and a claim path";

/// The names with commas between; `None` if there are none, or if the token does not hold them all.
fn members(membership: &Membership) -> Option<Cow<'_, str>> {
    join(membership.iter().map(encode), ",")
}

/// Texts with something between; `None` if there is none. A single text is not copied.
fn join<'t>(
    mut texts: impl Iterator<Item = Cow<'t, str>>,
    between: &'t str,
) -> Option<Cow<'t, str>> {
    let mut all = texts.next()?;
    for text in texts {
        all = all + between + text;
    }
    Some(all)
}

/// A claim, or the members of a list with commas between.
fn claim(value: &Json) -> Option<Cow<'_, str>> {
    let Json::Array(list) = value else {
        return scalar(value);
    };
    // One member without a spelling leaves the header out: part of a list would be another list.
    let texts: Vec<_> = list.iter().map(scalar).collect::<Option<_>>()?;
    Some(texts.join(",").into())
}

/// A text, a number, true or false. Objects, null and lists in lists have no spelling as a header.
fn scalar(value: &Json) -> Option<Cow<'_, str>> {
    match value {
        Json::String(text) => Some(encode(text)),
        Json::Bool(boolean) => Some(boolean.to_string().into()),
        Json::Number(Number::Integer(integer)) => Some(integer.to_string().into()),
        Json::Number(Number::Unsigned(integer)) => Some(integer.to_string().into()),
        Json::Number(Number::Float(float)) => Some(float.to_string().into()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A text in printable ASCII that has one decoding.
pub(super) fn encode(text: &str) -> Cow<'_, str> {
    // A comma parts the members of a list, and `%` begins an escape.
    const ENCODED: &AsciiSet = &CONTROLS.add(b'%').add(b',');
    if text.bytes().all(is_plain) {
        return text.into();
    }
    let mut text = utf8_percent_encode(text, ENCODED).to_string();
    // Space at either end is no part of a field value (RFC 9110, section 5.5).
    let end = text.trim_end_matches(' ').len();
    let trailing = text.len() - end;
    text.replace_range(end.., &"%20".repeat(trailing));
    let leading = text.len() - text.trim_start_matches(' ').len();
    text.replace_range(..leading, &"%20".repeat(leading));
    text.into()
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'%' | b',')
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_core::jose::json;

    #[test]
    fn a_claim_has_one_spelling_or_none() {
        for (text, expected) in [
            (r#""a b""#, Some("a b")),
            ("true", Some("true")),
            ("-7", Some("-7")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("1.5", Some("1.5")),
            (r#"["a",1,false]"#, Some("a,1,false")),
            (r#""a,b%""#, Some("a%2Cb%25")),
            (r#"" a ""#, Some("%20a%20")),
            (r#""é""#, Some("%C3%A9")),
            // Part of a list would be another list.
            (r#"["a",null]"#, None),
            (r#"[["a"]]"#, None),
            ("{}", None),
            ("null", None),
        ] {
            let value = json::parse(text.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(claim(&value).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn texts_are_joined_and_none_is_no_header() {
        let joined = |texts: &[&'static str]| {
            join(texts.iter().map(|text| encode(text)), ",").map(Cow::into_owned)
        };
        assert_eq!(joined(&[]), None);
        assert_eq!(joined(&["a"]).as_deref(), Some("a"));
        assert_eq!(joined(&["a", "b,c"]).as_deref(), Some("a,b%2Cc"));
    }

    #[test]
    fn every_fact_has_its_word() {
        for (word, fact) in [
            ("subject", "Subject"),
            ("client", "Client"),
            ("tenant", "Tenant"),
            ("kind", "Kind"),
            ("scopes", "Scopes"),
            ("roles", "Roles"),
            ("groups", "Groups"),
            ("issuer", "Issuer"),
        ] {
            assert_eq!(format!("{:?}", Fact::parse(word).unwrap()), fact);
        }
        assert!(matches!(Fact::parse("claim:a.b"), Ok(Fact::Claim(_))));
        assert_eq!(Fact::parse("group").unwrap_err(), WORDS);
    }
}
