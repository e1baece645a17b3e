//! What a header tells of a caller, and how it is written.

use crate::identity::assertion::{AssertionContext, Assertions};
use crate::refusal::Refusal;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use portcullis_core::jose::json::{Json, Number};
use portcullis_core::token::{AccessToken, ClaimPath, Kind, Membership};
use std::borrow::Cow;

/// What a header tells.
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
    /// All of it, signed.
    Assertion(Assertions),
}

impl Fact {
    /// The value of the header; `None` where the token does not say.
    pub(super) fn text<'t>(
        &self,
        token: &'t AccessToken,
        to: AssertionContext<'_>,
    ) -> Result<Option<Cow<'t, str>>, Refusal> {
        match self {
            Self::Assertion(assertions) => Ok(Some(assertions.sign(token, to)?.into())),
            plain => Ok(plain.plain(token)),
        }
    }

    /// What needs no signature.
    fn plain<'t>(&self, token: &'t AccessToken) -> Option<Cow<'t, str>> {
        let identity = token.identity();
        match self {
            Self::Assertion(_) => None,
            Self::Subject => identity.subject().map(encoded),
            Self::Client => identity.client().map(encoded),
            Self::Tenant => identity.tenant().map(encoded),
            Self::Kind => Some(kind(identity.kind()).into()),
            Self::Roles => members(identity.roles()),
            Self::Groups => members(identity.groups()),
            Self::Issuer => Some(encoded(token.issuer().as_str())),
            Self::Scopes => joined(identity.scopes().iter().map(encoded), " "),
            Self::Claim(path) => match path.find(token.claims())? {
                Json::Array(list) => {
                    let texts: Option<Vec<_>> = list.iter().map(scalar).collect();
                    texts.map(|texts| texts.join(",").into())
                }
                value => scalar(value),
            },
        }
    }

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

pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::Application => "application",
        Kind::Unknown => "unknown",
    }
}

/// The names with commas between; nothing where there are none, or where the token cannot say
/// which.
fn members(membership: &Membership) -> Option<Cow<'_, str>> {
    joined(membership.iter().map(encoded), ",")
}

/// Texts with something between; `None` where there is none. One alone is not copied.
fn joined<'t>(
    mut texts: impl Iterator<Item = Cow<'t, str>>,
    between: &'t str,
) -> Option<Cow<'t, str>> {
    let first = texts.next()?;
    Some(texts.fold(first, |all, text| all + between + text))
}

/// A text, a number, true or false. Objects, null and lists in lists have no spelling as a header.
fn scalar(value: &Json) -> Option<Cow<'_, str>> {
    match value {
        Json::String(text) => Some(encoded(text)),
        Json::Bool(boolean) => Some(boolean.to_string().into()),
        Json::Number(Number::Integer(integer)) => Some(integer.to_string().into()),
        Json::Number(Number::Unsigned(integer)) => Some(integer.to_string().into()),
        Json::Number(Number::Float(float)) => Some(float.to_string().into()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

pub(super) fn encoded(text: &str) -> Cow<'_, str> {
    const ENCODED: &AsciiSet = &CONTROLS.add(b'%').add(b',');
    let plain = |byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b'%' | b',');
    if text.bytes().all(plain) {
        return text.into();
    }
    let mut text = utf8_percent_encode(text, ENCODED).to_string();
    // Space at either end is no part of a field value (RFC 9110, section 5.5).
    if text.ends_with(' ') {
        text.replace_range(
            text.trim_end_matches(' ').len()..,
            &"%20".repeat(text.len() - text.trim_end_matches(' ').len()),
        );
    }
    let leading = text.len() - text.trim_start_matches(' ').len();
    text.replace_range(..leading, &"%20".repeat(leading));
    text.into()
}
