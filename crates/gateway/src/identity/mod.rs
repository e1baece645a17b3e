//! Headers that tell the upstream about the caller, and that only the gateway sets.
//!
//! Before anything is added, everything that looks like one of them is removed from the client's
//! headers and trailers, on every route, public ones too. Names compare without case, and with `_`
//! and `.` taken for `-`, as CGI and its heirs do. Headers by which a front proxy would speak are
//! removed too: the gateway says what it saw itself. A setting lets single names of those through.
//!
//! Values are printable ASCII. Other characters, `%` and `,` are percent-encoded as UTF-8. Commas
//! join the texts of a list, and spaces join scopes, as in a token. So splitting and then decoding
//! restores what the token held. A value is never cut: a longer one refuses the request.

pub(crate) mod assertion;
mod certificate;
mod cookies;
mod facts;
mod forged;
mod names;

pub(crate) use names::fits;

use crate::config::IdentityConfig;
use crate::identity::assertion::{AssertionContext, Assertions};
use crate::refusal::Refusal;
use crate::request::connection_auth::authenticates_connection;
use crate::request::fields::Values;
use facts::Fact;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use names::{ONLY_AS_WRITTEN, OURS, fold, is_of_envoy, is_of_front_proxy};
use portcullis_core::token::AccessToken;
use portcullis_core::{ConfigError, ConfigErrors};
use std::borrow::Cow;

/// The identity headers of the settings, and the headers that clients may not send.
#[derive(Clone, Debug)]
pub(crate) struct IdentitySettings {
    headers: Vec<(HeaderName, Fact)>,
    /// Their names, folded, without dashes at the end.
    names: Vec<Box<str>>,
    /// Prefixes of reserved names, folded.
    reserved: Vec<Box<str>>,
    /// Headers of proxies that clients may send.
    allowed: Vec<HeaderName>,
    forward_token: bool,
    /// The header that holds the token besides `Authorization`, if there is one.
    token_header: Option<HeaderName>,
    /// The cookie that holds the token, if there is one.
    token_cookie: Option<Box<str>>,
    /// The header that tells the client's certificate, if there is one.
    certificate_header: Option<HeaderName>,
}

/// Identity headers and their values; `None` for a header that must not be there.
pub(crate) type IdentityHeaders = Vec<(HeaderName, Option<HeaderValue>)>;

const DPOP: HeaderName = HeaderName::from_static("dpop");
const LONGEST_VALUE: usize = 8_192;

impl IdentitySettings {
    /// Whether the upstream gets the token as well.
    pub(crate) fn forwards_token(&self) -> bool {
        self.forward_token
    }

    /// Names another header than `Authorization` that may hold the token.
    pub(crate) fn with_token_header(self, token_header: Option<HeaderName>) -> Self {
        Self {
            token_header,
            ..self
        }
    }

    /// Names a cookie that may hold the token.
    pub(crate) fn with_token_cookie(self, token_cookie: Option<Box<str>>) -> Self {
        Self {
            token_cookie,
            ..self
        }
    }

    /// The same settings behind a reload: a key that was generated before stays in use.
    #[must_use]
    pub(crate) fn succeeding(mut self, before: Option<&Self>) -> Self {
        let before = before.and_then(Self::assertions);
        for (_, fact) in &mut self.headers {
            if let Fact::Assertion(assertions) = fact {
                assertions.succeed(before);
            }
        }
        self
    }

    /// The signed assertions, if a header carries them.
    pub(crate) fn assertions(&self) -> Option<&Assertions> {
        for (_, fact) in &self.headers {
            if let Fact::Assertion(assertions) = fact {
                return Some(assertions);
            }
        }
        None
    }

    /// Whether a header is kept from the upstream: those that only the gateway sets, and the token.
    pub(crate) fn is_kept_back(&self, name: &HeaderName, headers: &HeaderMap) -> bool {
        self.holds_token(name, headers)
            || (self.is_reserved(name.as_str()) && !self.forwards_token_in(name))
    }

    /// Whether a header holds the token, and the token is for the upstream too.
    fn forwards_token_in(&self, name: &HeaderName) -> bool {
        self.forward_token && self.token_header.as_ref() == Some(name)
    }

    /// Whether a header holds a token that is not for the upstream, or credentials for a connection
    /// that others share. Other schemes are between client and upstream.
    fn holds_token(&self, name: &HeaderName, headers: &HeaderMap) -> bool {
        // A proof is used up here, and is for the URL of the gateway (RFC 9449, section 4.2).
        if *name == DPOP {
            return true;
        }
        if self.token_header.as_ref() == Some(name) && !self.forward_token {
            return true;
        }
        if *name != AUTHORIZATION {
            return false;
        }
        let mut values = headers.get_all(AUTHORIZATION).iter();
        values.any(|value| self.keeps_back(value))
    }

    fn keeps_back(&self, credentials: &HeaderValue) -> bool {
        let credentials = credentials.as_bytes();
        // Without its proof, a bound token is of no use to a good upstream.
        has_scheme(credentials, "dpop")
            || (!self.forward_token && has_scheme(credentials, "bearer"))
            || authenticates_connection(credentials)
    }

    /// The header that holds the token besides `Authorization`, if there is one.
    pub(crate) fn token_header(&self) -> Option<&HeaderName> {
        self.token_header.as_ref()
    }

    /// The headers that another proxy has to remove from a request before it forwards it: forged
    /// identity headers in every spelling, those of other proxies that Envoy does not answer for,
    /// and the token.
    pub(crate) fn to_remove(&self, headers: &HeaderMap) -> Vec<HeaderName> {
        let mut names = Vec::new();
        for (own, _) in &self.headers {
            // Named even if the client sent none: the proxy may not have passed all headers on.
            for other in ["_", "."] {
                names.extend(HeaderName::try_from(own.as_str().replace('-', other)));
            }
        }
        for name in headers.keys() {
            if self.is_forged(name.as_str()) && !self.forwards_token_in(name) {
                names.push(name.clone());
            }
        }
        // The answer itself sets or removes these.
        names.retain(|name| !self.headers.iter().any(|(own, _)| own == name));
        for name in headers.keys() {
            if self.holds_token(name, headers) {
                names.push(name.clone());
            }
        }
        names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        names.dedup();
        names
    }

    fn is_forged(&self, name: &str) -> bool {
        self.is_reserved(name) && (!is_of_envoy(name) || self.is_identity(name))
    }

    /// The headers of a request that say what only the gateway may say of its caller, in every
    /// spelling.
    pub(crate) fn identity_headers_of(&self, headers: &HeaderMap) -> Vec<HeaderName> {
        let names = headers.keys();
        let forged = names.filter(|name| self.is_identity(&fold(name.as_str())));
        forged.cloned().collect()
    }

    /// Whether only the gateway may set this header or trailer.
    pub(crate) fn is_reserved(&self, name: &str) -> bool {
        let folded = fold(name);
        if self.is_identity(&folded) {
            return true;
        }
        if is_of_front_proxy(&folded) && !self.allowed.iter().any(|allowed| *allowed == *name) {
            return true;
        }
        // `Content_Length` is harmless here, but CGI would take it for the length.
        matches!(folded, Cow::Owned(_)) && ONLY_AS_WRITTEN.contains(&&*folded)
    }

    fn is_identity(&self, folded: &str) -> bool {
        let mut prefixes = self.reserved.iter();
        if prefixes.any(|prefix| folded.starts_with(&**prefix)) {
            return true;
        }
        let name = folded.trim_end_matches('-');
        self.names.iter().any(|own| **own == *name) || self.is_of_certificate(name)
    }

    /// Adds the identity headers of a caller.
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

    /// All identity headers and their values; `None` for a fact that the caller lacks, and without
    /// a caller.
    pub(crate) fn headers(
        &self,
        token: Option<&AccessToken>,
        to: AssertionContext<'_>,
    ) -> Result<IdentityHeaders, Refusal> {
        let mut values = Values::new();
        let mut headers = Vec::with_capacity(self.headers.len());
        for (name, fact) in &self.headers {
            let text = match token {
                Some(token) => fact.text(token, to)?,
                None => None,
            };
            let value = match text {
                Some(text) => Some(value(&text, &mut values)?),
                None => None,
            };
            headers.push((name.clone(), value));
        }
        Ok(headers)
    }
}

fn value(text: &str, values: &mut Values) -> Result<HeaderValue, Refusal> {
    // Upstreams limit heads, often to 8 KiB. A cut list of roles would be another list.
    if text.len() > LONGEST_VALUE {
        return Err(Refusal::IdentityTooLong);
    }
    values.push(text);
    values.end().ok_or(Refusal::IdentityTooLong)
}

/// Whether credentials are of a scheme for access tokens.
fn has_scheme(credentials: &[u8], name: &str) -> bool {
    let mut words = credentials.split(|byte| matches!(byte, b' ' | b'\t'));
    let scheme = words.next().unwrap_or_default();
    scheme.eq_ignore_ascii_case(name.as_bytes())
}

/// A folded name without dashes at its end, which some servers ignore.
fn comparable(name: &HeaderName) -> Box<str> {
    fold(name.as_str()).trim_end_matches('-').into()
}

fn is_among(name: &HeaderName, headers: &[(HeaderName, Fact)]) -> bool {
    let name = comparable(name);
    headers.iter().any(|(own, _)| comparable(own) == name)
}

/// Reads a header of the settings: its name, and the fact that it carries.
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
        let mut headers = plain_headers(&written, &mut faults);
        match written.assertion.map(Assertions::read) {
            // Two headers of one name, and the upstream would read either of them.
            Some(Ok((name, _))) if is_among(&name, &headers) => {
                let place = "gateway.identity.assertion.header";
                let fault = ConfigError::expected(place, "a name that is not among `headers`");
                let fault = fault.found(name.as_str());
                faults.push(fault.help("give the assertion a header of its own"));
            }
            Some(Ok((name, assertions))) => headers.push((name, Fact::Assertion(assertions))),
            Some(Err(errors)) => faults.extend(errors.iter().cloned()),
            None => {}
        }
        let reserved = written.reserved;
        let reserved = reserved.unwrap_or_else(|| vec!["x-auth-".to_owned()]);
        // A shorter prefix would remove half of all headers.
        if let Some(short) = reserved.iter().find(|prefix| prefix.len() < 3) {
            let help = "write the beginning that all identity headers share, such as `x-auth-`";
            let expected = "beginnings of three letters or more";
            let fault = ConfigError::expected("gateway.identity.reserved", expected);
            faults.push(fault.found(short).help(help));
        }
        let allowed = allowed_headers(&written.danger_pass, &mut faults);
        ConfigErrors::check(faults)?;
        let mut names = Vec::new();
        for (name, _) in &headers {
            names.push(comparable(name));
        }
        Ok(Self {
            headers,
            names,
            reserved: reserved.iter().map(|it| fold(it).into()).collect(),
            allowed,
            forward_token: written.forward_token,
            token_header: None,
            token_cookie: None,
            certificate_header: None,
        })
    }
}

/// The identity headers of the settings without the assertion, or the default ones.
fn plain_headers(
    written: &IdentityConfig,
    faults: &mut Vec<ConfigError>,
) -> Vec<(HeaderName, Fact)> {
    let mut read = Vec::new();
    if let Some(headers) = &written.headers {
        for (name, fact) in headers {
            read.push(header(name, fact));
        }
    } else if written.assertion.is_none() {
        // An upstream that gets an assertion needs no header that it would have to trust.
        for fact in ["subject", "client", "scopes", "roles", "issuer"] {
            read.push(header(&format!("x-auth-{fact}"), fact));
        }
    }
    let mut headers = Vec::new();
    for header in read {
        match header {
            Ok(header) => headers.push(header),
            Err(fault) => faults.push(fault),
        }
    }
    headers
}

/// The headers of proxies that clients may send.
fn allowed_headers(written: &[String], faults: &mut Vec<ConfigError>) -> Vec<HeaderName> {
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
