//! What the upstream is told about the caller: headers that only the gateway sets.
//!
//! Before anything is added, everything that looks like one of them is removed from what the client sent, on every
//! route, public ones too, and from trailers. Names compare without case, and with `_` and `.` taken for `-`, as
//! CGI and its heirs do. What a front proxy would say is removed likewise: the gateway says what it saw itself.
//!
//! Values are printable ASCII. Other characters, `%` and `,` are percent-encoded as UTF-8; the texts of a list
//! are joined by commas, and scopes by spaces, as they are written in a token. So splitting and then decoding
//! gives back what the token held. A value is never cut: one that is too long refuses the request.

mod forged;
mod names;

pub(crate) use names::fits;

use crate::assertion::{Addressed, Assertions};
use crate::config::IdentityConfig;
use crate::headers::Values;
use crate::refusal::Refusal;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use names::{ONLY_AS_WRITTEN, OVERRIDES, is_of_front_proxy};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use portcullis_core::jose::json::{Json, Number};
use portcullis_core::token::{AccessToken, ClaimPath, Kind, Membership};
use portcullis_core::{ConfigError, ConfigErrors};
use std::borrow::Cow;

/// Which headers tell what.
#[derive(Clone, Debug)]
pub(crate) struct IdentitySettings {
    headers: Vec<(HeaderName, Fact)>,
    /// Their names in the spelling that compares.
    names: Vec<Box<str>>,
    /// In the folded spelling.
    reserved: Vec<Box<str>>,
    forward_token: bool,
    /// The header that holds the token besides `Authorization`, if there is one.
    token_header: Option<HeaderName>,
}

/// What a header tells.
#[derive(Clone, Debug)]
enum Fact {
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

const DPOP: HeaderName = HeaderName::from_static("dpop");
const LONGEST_VALUE: usize = 8_192;

impl IdentitySettings {
    /// Says where else than in `Authorization` a token may be.
    pub(crate) fn with_token_header(self, token_header: Option<HeaderName>) -> Self {
        Self { token_header, ..self }
    }

    /// The same for the generation after this one: a key that was made here goes on.
    #[must_use]
    pub(crate) fn succeeding(mut self, before: Option<&Self>) -> Self {
        let before = before.and_then(Self::assertions);
        for (_, fact) in &mut self.headers {
            if let Fact::Assertion(assertions) = fact {
                assertions.succeeding(before);
            }
        }
        self
    }

    /// What signs, if anything does.
    pub(crate) fn assertions(&self) -> Option<&Assertions> {
        self.headers.iter().find_map(|(_, fact)| match fact {
            Fact::Assertion(assertions) => Some(assertions),
            _ => None,
        })
    }

    /// Whether a header does not go through to the upstream: whatever only the gateway may say, and the token.
    pub(crate) fn is_kept_back(&self, name: &HeaderName, headers: &HeaderMap) -> bool {
        self.holds_token(name, headers) || self.is_reserved(name.as_str())
    }

    /// Whether a header holds a token that is not for the upstream. Other schemes are between client and upstream.
    fn holds_token(&self, name: &HeaderName, headers: &HeaderMap) -> bool {
        let credentials = || headers.get_all(AUTHORIZATION).iter();
        !self.forward_token
            && (self.token_header.as_ref() == Some(name)
                || (*name == AUTHORIZATION && credentials().any(is_token))
                || *name == DPOP)
    }

    /// The header that holds the token besides `Authorization`, if there is one.
    pub(crate) fn token_header(&self) -> Option<&HeaderName> {
        self.token_header.as_ref()
    }

    /// What must go from a request with these headers that somebody else forwards: what looks like an identity
    /// header and is none, in every spelling; what servers take another path or method from; and the token. What the
    /// other one says of the client by itself stays.
    pub(crate) fn to_remove(&self, headers: &HeaderMap) -> Vec<HeaderName> {
        let own = self.headers.iter().map(|(name, _)| name);
        // Also where not all headers were told.
        let aliases = own.clone().flat_map(|name| {
            ["_", "."].map(|other| HeaderName::try_from(name.as_str().replace('-', other)).ok())
        });
        let sent = headers.keys().filter(|name| self.is_forged(name.as_str())).cloned();
        let mut names: Vec<HeaderName> =
            aliases.flatten().chain(sent).filter(|name| !own.clone().any(|own| own == name)).collect();
        names.extend(headers.keys().filter(|name| self.holds_token(name, headers)).cloned());
        names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        names.dedup();
        names
    }

    fn is_forged(&self, name: &str) -> bool {
        let folded = folded(name);
        let changed = matches!(folded, Cow::Owned(_));
        self.is_identity(&folded)
            || OVERRIDES.contains(&&*folded)
            || (changed && (is_of_front_proxy(&folded) || ONLY_AS_WRITTEN.contains(&&*folded)))
    }

    /// Whether only the gateway may set this header or trailer.
    pub(crate) fn is_reserved(&self, name: &str) -> bool {
        let folded = folded(name);
        let changed = matches!(folded, Cow::Owned(_));
        self.is_identity(&folded)
            || is_of_front_proxy(&folded)
            || (changed && ONLY_AS_WRITTEN.contains(&&*folded))
    }

    fn is_identity(&self, folded: &str) -> bool {
        self.reserved.iter().any(|prefix| folded.starts_with(&**prefix))
            || self.names.iter().any(|own| **own == *folded.trim_end_matches('-'))
    }

    /// Says who calls.
    pub(crate) fn add(
        &self,
        headers: &mut HeaderMap,
        token: &AccessToken,
        to: Addressed<'_>,
        values: &mut Values,
    ) -> Result<(), Refusal> {
        for (name, fact) in &self.headers {
            if let Some(text) = fact.text(token, to)? {
                headers.insert(name.clone(), value(&text, values)?);
            }
        }
        Ok(())
    }

    /// All identity headers, and what they say of a caller; `None` where there is nothing to say.
    pub(crate) fn told(
        &self,
        token: Option<&AccessToken>,
        to: Addressed<'_>,
    ) -> Result<Vec<(HeaderName, Option<HeaderValue>)>, Refusal> {
        let mut values = Values::new();
        let told = self.headers.iter().map(|(name, fact)| {
            let text = match token {
                Some(token) => fact.text(token, to)?,
                None => None,
            };
            Ok((name.clone(), text.map(|text| value(&text, &mut values)).transpose()?))
        });
        told.collect()
    }
}

fn value(text: &str, values: &mut Values) -> Result<HeaderValue, Refusal> {
    if text.len() > LONGEST_VALUE {
        return Err(Refusal::IdentityTooLong);
    }
    values.push(text);
    values.end().ok_or(Refusal::IdentityTooLong)
}

impl Fact {
    /// The value of the header; `None` where the token does not say.
    fn text<'t>(&self, token: &'t AccessToken, to: Addressed<'_>) -> Result<Option<Cow<'t, str>>, Refusal> {
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

    fn parse(text: &str) -> Result<Self, String> {
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

const WORDS: &str = "`subject`, `client`, `tenant`, `kind`, `scopes`, `roles`, `groups`, `issuer`, or `claim:` and a claim path";

pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::Application => "application",
        Kind::Unknown => "unknown",
    }
}

/// The names with commas between; nothing where there are none, or where the token cannot say which.
fn members(membership: &Membership) -> Option<Cow<'_, str>> {
    joined(membership.iter().map(encoded), ",")
}

/// Texts with something between; `None` where there is none. One alone is not copied.
fn joined<'t>(mut texts: impl Iterator<Item = Cow<'t, str>>, between: &'t str) -> Option<Cow<'t, str>> {
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

fn encoded(text: &str) -> Cow<'_, str> {
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

fn is_token(value: &HeaderValue) -> bool {
    let scheme = value.as_bytes().split(|byte| matches!(byte, b' ' | b'\t')).next().unwrap_or_default();
    scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"dpop")
}

/// A name in the spelling that all of its variants share.
fn folded(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| matches!(byte, b'_' | b'.' | b'A'..=b'Z')) {
        Cow::Owned(name.to_ascii_lowercase().replace(['_', '.'], "-"))
    } else {
        Cow::Borrowed(name)
    }
}

/// A name as it compares: dashes at its end make no other one.
fn compared(name: &HeaderName) -> Box<str> {
    folded(name.as_str()).trim_end_matches('-').into()
}

impl TryFrom<IdentityConfig> for IdentitySettings {
    type Error = ConfigErrors;

    fn try_from(written: IdentityConfig) -> Result<Self, ConfigErrors> {
        let mut faults = Vec::new();
        // Who has a signed word for it needs no plain one, unless it is asked for.
        let defaults: &[&str] = match written.assertion {
            Some(_) => &[],
            None => &["subject", "client", "scopes", "roles", "issuer"],
        };
        let headers = written.headers.unwrap_or_else(|| {
            defaults.iter().map(|fact| (format!("x-auth-{fact}"), (*fact).to_owned())).collect()
        });
        let mut meant = Vec::new();
        for (name, fact) in headers {
            let place = format!("gateway.identity.headers.{name}");
            match (HeaderName::try_from(&name), Fact::parse(&fact)) {
                (Ok(name), Ok(fact)) if fits(&name) => meant.push((name, fact)),
                (Ok(_), Err(expected)) => {
                    let cure = "write what the header tells, such as `subject` or `claim:email`";
                    faults.push(ConfigError::new(place, expected, cure));
                }
                _ => {
                    let cure = "write a name such as `x-auth-email`, with dashes";
                    faults.push(ConfigError::new(place, "a header name that has no other meaning", cure));
                }
            }
        }
        match written.assertion.map(Assertions::read) {
            Some(Ok((name, _))) if meant.iter().any(|(own, _)| compared(own) == compared(&name)) => {
                let cure = "give the assertion a header of its own";
                let place = "gateway.identity.assertion.header";
                faults.push(ConfigError::new(place, "a name that is not among `headers`", cure));
            }
            Some(Ok((name, assertions))) => meant.push((name, Fact::Assertion(assertions))),
            Some(Err(errors)) => faults.extend(errors.iter().cloned()),
            None => {}
        }
        let reserved = written.reserved.unwrap_or_else(|| vec!["x-auth-".to_owned()]);
        if reserved.iter().any(|prefix| prefix.len() < 3) {
            let cure = "write the beginning that all identity headers share, such as `x-auth-`";
            faults.push(ConfigError::new(
                "gateway.identity.reserved",
                "beginnings of three letters or more",
                cure,
            ));
        }
        ConfigErrors::check(faults)?;
        let reserved = reserved.iter().map(|prefix| folded(prefix).into()).collect();
        let names =
            meant.iter().map(|(name, _)| folded(name.as_str()).trim_end_matches('-').into()).collect();
        let forward_token = written.forward_token;
        Ok(Self { headers: meant, names, reserved, forward_token, token_header: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> IdentitySettings {
        IdentityConfig::default().try_into().unwrap()
    }

    #[test]
    fn every_spelling_is_reserved() {
        let settings = settings();
        for name in [
            "x-auth-subject",
            "x_auth_subject",
            "x.auth.subject",
            "x-auth-subject_",
            "x-auth-new",
            "x-forwarded-for",
            "x_forwarded_host",
            "forwarded",
            "x-real-ip",
            "x-original-url",
            "x_http_method_override",
            "ssl-client-verify",
            "transfer_encoding",
            "content_length",
            "x-forwarded-client-cert",
        ] {
            assert!(settings.is_reserved(name), "{name}");
        }
        for name in
            ["authorization", "transfer-encoding", "host", "x-auth", "x-request-id", "x_custom", "cookie"]
        {
            assert!(!settings.is_reserved(name), "{name}");
        }
        let own = IdentityConfig {
            headers: Some([("Remote-User".to_owned(), "subject".to_owned())].into()),
            ..IdentityConfig::default()
        };
        let own = IdentitySettings::try_from(own).unwrap();
        assert!(
            own.is_reserved("remote_user")
                && own.is_reserved("remote-user-")
                && !own.is_reserved("remote-users")
        );
    }

    #[test]
    fn what_another_one_forwards_loses_what_is_forged() {
        let mut headers = HeaderMap::new();
        for name in [
            "x-auth-subject",
            "X-Auth_Subject",
            "x-auth-else",
            "x-rewrite-url",
            "x_forwarded_host",
            "x-forwarded-for",
            "cookie",
            "dpop",
        ] {
            headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("1"));
        }
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        let names = settings().to_remove(&headers);
        let has = |name: &str| names.iter().any(|held| held == name);
        for name in [
            "x-auth_subject",
            "x_auth_issuer",
            "x.auth.roles",
            "x-auth-else",
            "x-rewrite-url",
            "x_forwarded_host",
            "dpop",
            "authorization",
        ] {
            assert!(has(name), "{name}");
        }
        // Those of our own are set, or removed, by who tells them.
        assert!(!has("x-auth-subject") && !has("x-forwarded-for") && !has("cookie"));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic x"));
        assert!(!settings().to_remove(&headers).contains(&AUTHORIZATION));
    }

    #[test]
    fn values_are_printable_and_can_be_read_back() {
        for text in ["plain", "a b", " a  ", "Doe, John", "100%", "user\r\nX-Admin: 1", "\u{43f}\u{43e}", ""]
        {
            let value = encoded(text);
            assert!(HeaderValue::from_str(&value).is_ok() && value.trim() == value, "{value}");
            assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !value.contains(','), "{value}");
            let back = percent_encoding::percent_decode_str(&value).decode_utf8().unwrap();
            assert_eq!(back, text);
        }
        assert_eq!(encoded("\u{e9}\n"), "%C3%A9%0A");
    }

    #[test]
    fn tokens_stay_and_other_schemes_pass() {
        let settings = settings();
        for (value, stays) in [("Bearer x", false), ("bearer", false), ("DPoP x", false), ("Basic x", true)] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            assert_eq!(!settings.is_kept_back(&AUTHORIZATION, &headers), stays, "{value}");
        }
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let headers = [("a b", "subject"), ("host", "subject"), ("x-a", "name"), ("x-b", "claim:")];
        let config = IdentityConfig {
            headers: Some(headers.map(|(name, fact)| (name.to_owned(), fact.to_owned())).into()),
            reserved: Some(vec![String::new()]),
            forward_token: false,
            assertion: None,
        };
        assert_eq!(IdentitySettings::try_from(config).unwrap_err().iter().count(), 5);
    }
}
