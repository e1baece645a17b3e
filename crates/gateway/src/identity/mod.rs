//! What the upstream is told about the caller: headers that only the gateway sets.
//!
//! Before anything is added, everything that looks like one of them is removed from what the client
//! sent, on every route, public ones too, and from trailers. Names compare without case, and with
//! `_` and `.` taken for `-`, as CGI and its heirs do. What a front proxy would say is removed
//! likewise: the gateway says what it saw itself. A setting lets single names of those through.
//!
//! Values are printable ASCII. Other characters, `%` and `,` are percent-encoded as UTF-8; the
//! texts of a list are joined by commas, and scopes by spaces, as they are written in a token. So
//! splitting and then decoding gives back what the token held. A value is never cut: one that is
//! too long refuses the request.

pub(crate) mod assertion;
mod cookies;
mod facts;
mod forged;
mod names;

pub(crate) use facts::kind;
pub(crate) use names::fits;

use crate::config::IdentityConfig;
use crate::identity::assertion::{AssertionContext, Assertions};
use crate::refusal::Refusal;
use crate::request::connection_auth::authenticates_connection;
use crate::request::fields::Values;
use facts::Fact;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use names::{ONLY_AS_WRITTEN, OURS, is_of_envoy, is_of_front_proxy};
use portcullis_core::token::AccessToken;
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
    /// What clients may send although proxies speak by it.
    passed: Vec<HeaderName>,
    forward_token: bool,
    /// The header that holds the token besides `Authorization`, if there is one.
    token_header: Option<HeaderName>,
    /// The cookie that holds the token, if there is one.
    token_cookie: Option<Box<str>>,
}

/// Identity headers and their values; `None` for a header that must not be there.
pub(crate) type IdentityHeaders = Vec<(HeaderName, Option<HeaderValue>)>;

const DPOP: HeaderName = HeaderName::from_static("dpop");
const LONGEST_VALUE: usize = 8_192;

impl IdentitySettings {
    /// Says where else than in `Authorization` a token may be.
    pub(crate) fn with_token_header(self, token_header: Option<HeaderName>) -> Self {
        Self {
            token_header,
            ..self
        }
    }

    /// Says in which cookie a token may be.
    pub(crate) fn with_token_cookie(self, token_cookie: Option<Box<str>>) -> Self {
        Self {
            token_cookie,
            ..self
        }
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

    /// Whether a header does not go through to the upstream: whatever only the gateway may say, and
    /// the token.
    pub(crate) fn is_kept_back(&self, name: &HeaderName, headers: &HeaderMap) -> bool {
        self.holds_token(name, headers)
            || (self.is_reserved(name.as_str()) && !self.forwards_token_in(name))
    }

    /// Whether a header is the one of the token, and the token is for the upstream too.
    fn forwards_token_in(&self, name: &HeaderName) -> bool {
        self.forward_token && self.token_header.as_ref() == Some(name)
    }

    /// Whether a header holds a token that is not for the upstream, or credentials for a connection
    /// that others share. Other schemes are between client and upstream.
    fn holds_token(&self, name: &HeaderName, headers: &HeaderMap) -> bool {
        let credentials = |are: fn(&HeaderValue) -> bool| {
            *name == AUTHORIZATION && headers.get_all(AUTHORIZATION).iter().any(are)
        };
        let token =
            || self.token_header.as_ref() == Some(name) || *name == DPOP || credentials(is_token);
        (!self.forward_token && token()) || credentials(is_of_connection)
    }

    /// The header that holds the token besides `Authorization`, if there is one.
    pub(crate) fn token_header(&self) -> Option<&HeaderName> {
        self.token_header.as_ref()
    }

    /// What must go from a request with these headers that somebody else forwards: what looks like
    /// an identity header and is none, in every spelling; what proxies would say, but for what
    /// Envoy answers for; and the token.
    pub(crate) fn to_remove(&self, headers: &HeaderMap) -> Vec<HeaderName> {
        let own = self.headers.iter().map(|(name, _)| name);
        // Also where not all headers were told.
        let aliases = own.clone().flat_map(|name| {
            ["_", "."].map(|other| HeaderName::try_from(name.as_str().replace('-', other)).ok())
        });
        let forged =
            |name: &&HeaderName| self.is_forged(name.as_str()) && !self.forwards_token_in(name);
        let sent = headers.keys().filter(forged).cloned();
        let mut names: Vec<HeaderName> = aliases
            .flatten()
            .chain(sent)
            .filter(|name| !own.clone().any(|own| own == name))
            .collect();
        names.extend(
            headers
                .keys()
                .filter(|name| self.holds_token(name, headers))
                .cloned(),
        );
        names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        names.dedup();
        names
    }

    fn is_forged(&self, name: &str) -> bool {
        self.is_reserved(name) && (!is_of_envoy(name) || self.is_identity(name))
    }

    /// Whether only the gateway may set this header or trailer.
    pub(crate) fn is_reserved(&self, name: &str) -> bool {
        let folded = folded(name);
        let changed = matches!(folded, Cow::Owned(_));
        self.is_identity(&folded)
            || (is_of_front_proxy(&folded) && !self.passed.iter().any(|passed| *passed == *name))
            || (changed && ONLY_AS_WRITTEN.contains(&&*folded))
    }

    fn is_identity(&self, folded: &str) -> bool {
        self.reserved
            .iter()
            .any(|prefix| folded.starts_with(&**prefix))
            || self
                .names
                .iter()
                .any(|own| **own == *folded.trim_end_matches('-'))
    }

    /// Says who calls.
    pub(crate) fn add(
        &self,
        headers: &mut HeaderMap,
        token: &AccessToken,
        to: AssertionContext<'_>,
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
    pub(crate) fn headers(
        &self,
        token: Option<&AccessToken>,
        to: AssertionContext<'_>,
    ) -> Result<IdentityHeaders, Refusal> {
        let mut values = Values::new();
        let told = self.headers.iter().map(|(name, fact)| {
            let text = match token {
                Some(token) => fact.text(token, to)?,
                None => None,
            };
            Ok((
                name.clone(),
                text.map(|text| value(&text, &mut values)).transpose()?,
            ))
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

fn is_of_connection(value: &HeaderValue) -> bool {
    authenticates_connection(value.as_bytes())
}

fn is_token(value: &HeaderValue) -> bool {
    let scheme = value
        .as_bytes()
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .next()
        .unwrap_or_default();
    scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"dpop")
}

/// A name in the spelling that all of its variants share.
fn folded(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .any(|byte| matches!(byte, b'_' | b'.' | b'A'..=b'Z'))
    {
        Cow::Owned(name.to_ascii_lowercase().replace(['_', '.'], "-"))
    } else {
        Cow::Borrowed(name)
    }
}

/// A name as it compares: dashes at its end make no other one.
fn compared(name: &HeaderName) -> Box<str> {
    folded(name.as_str()).trim_end_matches('-').into()
}

fn is_among(name: &HeaderName, headers: &[(HeaderName, Fact)]) -> bool {
    let name = compared(name);
    headers.iter().any(|(own, _)| compared(own) == name)
}

/// A header as it is written: its name, and the fact that it tells.
fn header(name: &str, fact: &str) -> Result<(HeaderName, Fact), ConfigError> {
    let place = format!("gateway.identity.headers.{name}");
    match (HeaderName::try_from(name), Fact::parse(fact)) {
        (Ok(name), Ok(fact)) if fits(&name) => Ok((name, fact)),
        (Ok(_), Err(expected)) => Err(ConfigError::expected(place, expected)
            .found(fact)
            .help("write what the header tells, such as `subject` or `claim:email`")),
        _ => Err(
            ConfigError::expected(place, "a header name that has no other meaning")
                .found(name)
                .help("write a name such as `x-auth-email`, with dashes"),
        ),
    }
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
        let default = |fact: &&str| (format!("x-auth-{fact}"), (*fact).to_owned());
        let headers = written
            .headers
            .unwrap_or_else(|| defaults.iter().map(default).collect());
        let mut meant = Vec::new();
        for (name, fact) in headers {
            match header(&name, &fact) {
                Ok(header) => meant.push(header),
                Err(fault) => faults.push(fault),
            }
        }
        match written.assertion.map(Assertions::read) {
            Some(Ok((name, _))) if is_among(&name, &meant) => {
                let place = "gateway.identity.assertion.header";
                let fault = ConfigError::expected(place, "a name that is not among `headers`");
                let fault = fault.found(name.as_str());
                faults.push(fault.help("give the assertion a header of its own"));
            }
            Some(Ok((name, assertions))) => meant.push((name, Fact::Assertion(assertions))),
            Some(Err(errors)) => faults.extend(errors.iter().cloned()),
            None => {}
        }
        let reserved = written.reserved;
        let reserved = reserved.unwrap_or_else(|| vec!["x-auth-".to_owned()]);
        if let Some(short) = reserved.iter().find(|prefix| prefix.len() < 3) {
            let help = "write the beginning that all identity headers share, such as `x-auth-`";
            let expected = "beginnings of three letters or more";
            let fault = ConfigError::expected("gateway.identity.reserved", expected);
            faults.push(fault.found(short).help(help));
        }
        let passed = passed(&written.danger_pass, &mut faults);
        ConfigErrors::check(faults)?;
        let reserved = reserved
            .iter()
            .map(|prefix| folded(prefix).into())
            .collect();
        let name =
            |(name, _): &(HeaderName, Fact)| folded(name.as_str()).trim_end_matches('-').into();
        let names = meant.iter().map(name).collect();
        let forward_token = written.forward_token;
        Ok(Self {
            headers: meant,
            names,
            reserved,
            passed,
            forward_token,
            token_header: None,
            token_cookie: None,
        })
    }
}

/// The names of proxies' headers that clients may send.
fn passed(written: &[String], faults: &mut Vec<ConfigError>) -> Vec<HeaderName> {
    let mut names = Vec::new();
    for (index, text) in written.iter().enumerate() {
        match HeaderName::try_from(text) {
            Ok(name) if is_of_front_proxy(name.as_str()) && !OURS.contains(&name.as_str()) => {
                names.push(name);
            }
            _ => {
                let place = format!("gateway.identity.danger_pass[{index}]");
                let expected = "a header by which proxies tell of a request, and that the gateway \
                    does not set itself";
                let help = "write one that is removed otherwise, such as `cf-ipcountry`, with \
                    dashes; others pass anyway";
                let fault = ConfigError::expected(place, expected).found(text);
                faults.push(fault.help(help));
            }
        }
    }
    names
}

#[cfg(test)]
mod tests;
