//! Why there is no token: the settings, the provider's refusal, an answer that must not be trusted,
//! or an outage.

use portcullis_core::jose::json::{Json, Object};
use portcullis_core::{ConfigError, Outage, OutageCode};
use std::fmt;
use std::time::Duration;
use url::Url;

/// Why a token could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The settings do not fit each other, or not this provider. Trying again changes nothing.
    Config(ConfigError),
    /// The provider said no (RFC 6749, section 5.2). What it said is fit to be shown.
    Refusal(Refusal),
    /// An answer, a callback or an ID token is not what it should be. It may be an attack: nothing
    /// of it is used.
    InvalidResponse(InvalidResponse),
    /// The provider cannot be reached, or gives no proper answer. Try again later.
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

    /// An answer that is written in a way that has no meaning, or two.
    pub(crate) fn malformed_response(reason: impl Into<String>) -> Self {
        Self::InvalidResponse(InvalidResponse {
            reason: reason.into(),
            malformed: true,
        })
    }

    pub(crate) fn outage(facts: impl Into<String>, retry_after: Option<Duration>) -> Self {
        let retry_after = retry_after
            .unwrap_or(Duration::from_secs(1))
            .min(LONGEST_PAUSE);
        Self::Outage(Outage::new(OutageCode::Provider, facts.into(), retry_after))
    }

    /// When to try again, where that may help.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Outage(outage) => Some(outage.retry_after()),
            _ => None,
        }
    }

    /// What the provider refused, where it was a refusal.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refusal(refusal) => Some(refusal),
            _ => None,
        }
    }
}

/// A provider that asks for more patience is not believed.
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

/// An answer that must not be trusted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidResponse {
    reason: String,
    malformed: bool,
}

impl InvalidResponse {
    /// What is wrong; nothing secret stands in it.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether the answer only does not keep to the standard, so that it cannot be read. Else it
    /// may be another's.
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
        write!(f, "the answer {problem}: {}", self.reason)
    }
}

/// What the provider said instead of giving a token (RFC 6749, sections 4.1.2.1 and 5.2).
///
/// All of it is foreign text: it is cut to a length, and holds nothing that a terminal would obey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    error: String,
    description: Option<String>,
    uri: Option<String>,
    status: Option<u16>,
}

impl Refusal {
    pub(crate) fn new(error: &str, description: Option<&str>, uri: Option<&str>) -> Self {
        let web = |url: &Url| matches!(url.scheme(), "https" | "http");
        let uri = uri
            .filter(|text| text.len() <= LONGEST)
            .and_then(|text| Url::parse(text).ok())
            .filter(web)
            .map(String::from);
        Self {
            error: sanitize(error, LONGEST_CODE),
            description: description.map(|text| sanitize(text, LONGEST)),
            uri,
            status: None,
        }
    }

    /// The refusal in the document of an answer, if it holds one. Okta has names of its own for it
    /// in places.
    pub(crate) fn of(document: &Object, status: u16) -> Option<Self> {
        let text = |name| {
            document
                .get(name)
                .and_then(Json::as_str)
                .filter(|text| !text.is_empty())
        };
        let refusal = match (text("error"), text("errorCode")) {
            (Some(error), _) => Self::new(error, text("error_description"), text("error_uri")),
            (None, Some(error)) => Self::new(error, text("errorSummary"), None),
            (None, None) => return None,
        };
        Some(Self {
            status: Some(status),
            ..refusal
        })
    }

    /// A refusal by its status alone: the provider gave no code.
    pub(crate) fn without_reason(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::new("", None, None)
        }
    }

    /// The code: `invalid_client`, `invalid_scope`, `access_denied` and so on. Empty where the
    /// provider gave none.
    pub fn error(&self) -> &str {
        &self.error
    }

    /// The status of the answer, where the refusal was one.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether a refresh token that was refused like this is worth nothing any more. A refusal
    /// without a reason counts: to sign in again costs little, and to keep what is refused each
    /// time costs every call.
    pub fn ends_session(&self) -> bool {
        let spent = [
            "invalid_grant",
            "invalid_token",
            "expired_token",
            "bad_refresh_token",
            "invalid_refresh_token",
        ];
        self.error.is_empty() || spent.contains(&self.error.as_str())
    }

    /// Whether the provider wants the person to sign in, or to agree, again (OpenID Connect Core
    /// 1.0, section 3.1.2.6).
    pub fn needs_interaction(&self) -> bool {
        let asks = [
            "interaction_required",
            "login_required",
            "consent_required",
            "account_selection_required",
        ];
        asks.contains(&self.error.as_str())
    }

    /// What the provider says about it.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref().filter(|text| !text.is_empty())
    }

    /// A page about it.
    pub fn uri(&self) -> Option<&str> {
        self.uri.as_deref()
    }
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

const LONGEST_CODE: usize = 128;
const LONGEST: usize = 1_024;

/// A text from outside, fit for a terminal: at most so many characters, and none that steers it.
pub(crate) fn sanitize(text: &str, most: usize) -> String {
    let steers = |c: char| {
        let is_invisible = matches!(
            c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        );
        c.is_control() || is_invisible
    };
    let plain: String = text
        .chars()
        .take(most)
        .map(|c| if steers(c) { ' ' } else { c })
        .collect();
    plain.trim().to_owned()
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
        assert!(long.to_string().ends_with(", see https://idp.example/why"));
    }

    #[test]
    fn a_provider_is_not_waited_for_without_end() {
        let outage = Error::outage("the answer was 503", Some(Duration::from_secs(1_000_000)));
        assert_eq!(outage.retry_after(), Some(Duration::from_secs(300)));
        assert_eq!(Error::untrusted_response("x").retry_after(), None);
    }
}
