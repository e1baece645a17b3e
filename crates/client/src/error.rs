//! Errors: the settings, the provider's refusal, a response that cannot be trusted, or an outage.

use portcullis_core::jose::json::{Json, Object};
use portcullis_core::{ConfigError, Outage, OutageCode};
use portcullis_provider::fetch::FetchFault;
use std::fmt;
use std::time::Duration;
use url::Url;

/// The cure of an address that answers, and has no such endpoint.
pub(crate) const NO_ENDPOINT: &str = "no endpoint is at this address: compare it with the \
    provider's metadata, and look for a proxy in between that does not know it";

/// The reason why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The settings contradict each other, or do not fit this provider. A retry does not help.
    Config(ConfigError),
    /// The provider refused the request (RFC 6749, section 5.2). The texts are safe to show.
    Refusal(Refusal),
    /// A response, a callback or an ID token is invalid. It may be an attack: none of it is used.
    InvalidResponse(InvalidResponse),
    /// The provider cannot be reached, or sends no usable response. Try again later.
    Outage(Outage),
}

impl Error {
    pub(crate) fn config(place: &str, problem: impl Into<String>, help: &str) -> Self {
        Self::Config(ConfigError::wrong(place, problem).help(help))
    }

    pub(crate) fn untrusted_response(reason: impl Into<String>) -> Self {
        Self::InvalidResponse(InvalidResponse {
            reason: reason.into(),
            malformed: false,
        })
    }

    /// A response that violates the standard, so that it has no meaning, or two.
    pub(crate) fn malformed_response(reason: impl Into<String>) -> Self {
        Self::InvalidResponse(InvalidResponse {
            reason: reason.into(),
            malformed: true,
        })
    }

    pub(crate) fn outage(facts: impl Into<String>, retry_after: Option<Duration>) -> Self {
        let retry_after = retry_after.unwrap_or(Duration::from_secs(1));
        // A wrong `Retry-After` must not stop a service for a day.
        let retry_after = retry_after.min(LONGEST_PAUSE);
        Self::Outage(Outage::new(OutageCode::Provider, facts.into(), retry_after))
    }

    /// The provider gave no response to a request.
    pub(crate) fn no_response(fault: &FetchFault) -> Self {
        // No response named a time. Most gaps are short, such as a restart of the provider.
        let soon = Duration::from_secs(1);
        let outage = Outage::new(OutageCode::Provider, fault.to_string(), soon);
        Self::Outage(outage.with_cure(fault.cure))
    }

    /// Whether a provider answers that it has no such endpoint. A kept refresh token stays good, as
    /// in an outage, but waiting alone is unlikely to help.
    pub fn is_missing_endpoint(&self) -> bool {
        matches!(self, Self::Outage(outage) if outage.cure() == NO_ENDPOINT)
    }

    /// The time until a retry may help; `None` if it will not.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Outage(outage) => Some(outage.retry_after()),
            _ => None,
        }
    }

    /// The provider's refusal, if the error is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refusal(refusal) => Some(refusal),
            _ => None,
        }
    }
}

/// The longest `Retry-After` that is believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(fault) => fault.fmt(f),
            Self::Refusal(refusal) => refusal.fmt(f),
            Self::InvalidResponse(invalid) => invalid.fmt(f),
            Self::Outage(outage) => outage.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<ConfigError> for Error {
    fn from(fault: ConfigError) -> Self {
        Self::Config(fault)
    }
}

impl From<Outage> for Error {
    fn from(outage: Outage) -> Self {
        Self::Outage(outage)
    }
}

/// A response that cannot be used, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidResponse {
    reason: String,
    malformed: bool,
}

impl InvalidResponse {
    /// The fault. It holds no secret.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether the response only violates the standard. Otherwise it may come from somebody else.
    pub fn is_malformed(&self) -> bool {
        self.malformed
    }
}

impl fmt::Display for InvalidResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = if self.malformed {
            "cannot be read"
        } else {
            "cannot be trusted"
        };
        write!(f, "the response {problem}: {}", self.reason)
    }
}

/// The provider's error response (RFC 6749, sections 4.1.2.1 and 5.2).
///
/// All of it is foreign text: it is cut to a length, without any character that a terminal obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    error: String,
    description: Option<String>,
    uri: Option<String>,
    status: Option<u16>,
}

impl Refusal {
    pub(crate) fn new(error: &str, description: Option<&str>, uri: Option<&str>) -> Self {
        Self {
            error: sanitize(error, LONGEST_CODE),
            description: description.map(|text| sanitize(text, LONGEST)),
            uri: uri.and_then(web_page),
            status: None,
        }
    }

    /// The refusal in the document of a response, if it holds one.
    pub(crate) fn of(document: &Object, status: u16) -> Option<Self> {
        let refusal = match (text(document, "error"), text(document, "errorCode")) {
            (Some(error), _) => {
                let description = text(document, "error_description");
                Self::new(error, description, text(document, "error_uri"))
            }
            // Some of Okta's endpoints use these names.
            (None, Some(error)) => Self::new(error, text(document, "errorSummary"), None),
            (None, None) => return None,
        };
        Some(Self {
            status: Some(status),
            ..refusal
        })
    }

    /// A refusal by status alone: the provider sent no code.
    pub(crate) fn without_reason(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::new("", None, None)
        }
    }

    /// The code, such as `invalid_client`, `invalid_scope` or `access_denied`. Empty if the
    /// provider sent none.
    pub fn error(&self) -> &str {
        &self.error
    }

    /// The HTTP status. `None` for a refusal in a callback, or by this client itself.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether a refresh token is worthless after this refusal.
    pub fn ends_session(&self) -> bool {
        let codes = [
            "invalid_grant",
            "invalid_token",
            "expired_token",
            "bad_refresh_token",
            "invalid_refresh_token",
        ];
        // A refusal without a reason counts as well. To sign in again costs little; a token that is
        // refused each time would fail every call.
        self.error.is_empty() || codes.contains(&self.error.as_str())
    }

    /// Whether the person has to sign in or to consent again (OpenID Connect Core 1.0, section
    /// 3.1.2.6).
    pub fn needs_interaction(&self) -> bool {
        let codes = [
            "interaction_required",
            "login_required",
            "consent_required",
            "account_selection_required",
        ];
        codes.contains(&self.error.as_str())
    }

    /// The provider's description of the error.
    pub fn description(&self) -> Option<&str> {
        self.description
            .as_deref()
            .filter(|text| !text.is_empty())
    }

    /// The address of a page about the error.
    pub fn uri(&self) -> Option<&str> {
        self.uri.as_deref()
    }
}

/// A member of an error response, if it is a text and not empty.
fn text<'o>(document: &'o Object, name: &str) -> Option<&'o str> {
    let text = document.get(name).and_then(Json::as_str)?;
    (!text.is_empty()).then_some(text)
}

/// The address of a web page. Terminals make addresses clickable, and other schemes, such as
/// `javascript:`, may start something.
fn web_page(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "https" | "http").then(|| url.into())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.error.as_str(), self.status) {
            ("", Some(status)) => write!(f, "the provider refused: {status}, without a reason")?,
            (error, _) => write!(f, "the provider refused: {error}")?,
        }
        if let Some(description) = self.description() {
            write!(f, " ({description})")?;
        }
        if let Some(uri) = &self.uri {
            write!(f, ", see {uri}")?;
        }
        Ok(())
    }
}

/// In characters.
const LONGEST_CODE: usize = 128;
/// In characters.
const LONGEST: usize = 1_024;

/// A foreign text, made safe for a terminal: at most this many characters, with spaces in place of
/// control characters.
pub(crate) fn sanitize(text: &str, most: usize) -> String {
    let mut plain = String::new();
    for c in text.chars().take(most) {
        plain.push(if controls_terminal(c) { ' ' } else { c });
    }
    plain.trim().to_owned()
}

/// Whether a character controls a terminal, or changes the order of the text around it. The latter
/// can show an address other than the one that opens.
fn controls_terminal(c: char) -> bool {
    let is_invisible = matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    c.is_control() || is_invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_says_cannot_steer_a_terminal() {
        let refusal = Refusal::new(
            "invalid\u{1b}[2Jclient",
            Some("no\r\nsuch\u{202e} client\u{9b}31m\u{7}"),
            Some("javascript:alert(1)"),
        );
        assert_eq!(refusal.error(), "invalid [2Jclient");
        assert_eq!(refusal.description(), Some("no  such  client 31m"));
        assert_eq!(refusal.uri(), None);
        let long = Refusal::new(
            &"x".repeat(500),
            Some(&"ü".repeat(9_000)),
            Some("https://idp.example/why"),
        );
        assert_eq!(
            (
                long.error().len(),
                long.description().map(|text| text.chars().count())
            ),
            (128, Some(1_024))
        );
        assert!(
            long.to_string()
                .ends_with(", see https://idp.example/why")
        );
    }

    #[test]
    fn a_provider_is_not_waited_for_without_end() {
        let outage = Error::outage("the answer was 503", Some(Duration::from_secs(1_000_000)));
        assert_eq!(outage.retry_after(), Some(Duration::from_secs(60)));
        assert_eq!(Error::untrusted_response("x").retry_after(), None);
    }
}
