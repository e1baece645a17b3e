//! Why an event or a logout token is refused, in the words of its sender's standard.

use crate::rejection::{Code, Facts, Rejection};
use std::fmt;

/// What the sender is told: the codes of RFC 8935, section 2.4, and one of the Shared Signals
/// Framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventErrorCode {
    /// `invalid_request`: it is not such a token, or not a proper one.
    InvalidRequest,
    /// `invalid_key`: the key is not one of the issuer's, or the signature is not by it.
    InvalidKey,
    /// `invalid_issuer`: it is by somebody else.
    InvalidIssuer,
    /// `invalid_audience`: it is for somebody else.
    InvalidAudience,
    /// `authentication_failed`: the sender did not show who it is.
    AuthenticationFailed,
    /// `access_denied`: the sender may not say this.
    AccessDenied,
    /// `invalid_state`: a verification with a state that nobody asked for (SSF 1.0, section
    /// 8.1.4.2).
    InvalidState,
}

impl EventErrorCode {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::InvalidRequest,
        Self::InvalidKey,
        Self::InvalidIssuer,
        Self::InvalidAudience,
        Self::AuthenticationFailed,
        Self::AccessDenied,
        Self::InvalidState,
    ];

    /// The code as the sender gets it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidKey => "invalid_key",
            Self::InvalidIssuer => "invalid_issuer",
            Self::InvalidAudience => "invalid_audience",
            Self::AuthenticationFailed => "authentication_failed",
            Self::AccessDenied => "access_denied",
            Self::InvalidState => "invalid_state",
        }
    }

    /// A sentence for the sender. It repeats nothing of the token.
    pub const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest => "this is not a proper token of this kind",
            Self::InvalidKey => "the signature is not by a key that the issuer publishes",
            Self::InvalidIssuer => "the issuer is not the one that is expected here",
            Self::InvalidAudience => "the audience is not this receiver",
            Self::AuthenticationFailed => "the request does not show who sends it",
            Self::AccessDenied => "this transmitter may not say that",
            Self::InvalidState => "the state is not the one of the request for verification",
        }
    }
}

impl fmt::Display for EventErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a token was refused: the code for its sender, and the facts for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFault {
    code: EventErrorCode,
    facts: Facts,
}

impl EventFault {
    /// A refusal with this code.
    pub fn new(code: EventErrorCode, facts: Facts) -> Self {
        Self { code, facts }
    }

    /// What the sender is told.
    pub fn code(&self) -> EventErrorCode {
        self.code
    }

    /// What was expected, and what was found: for the operator, never for the sender.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}

/// What the steps that all tokens share say of this one.
impl From<Rejection> for EventFault {
    fn from(rejection: Rejection) -> Self {
        // The sender has a handful of codes only; the facts tell an operator more.
        let code = match rejection.code() {
            Code::TokenKeyUnknown | Code::TokenKeyIssuer | Code::TokenSignature => {
                EventErrorCode::InvalidKey
            }
            Code::TokenIssuer => EventErrorCode::InvalidIssuer,
            _ => EventErrorCode::InvalidRequest,
        };
        let facts = match rejection.facts().is_empty() {
            true => Facts::new("", rejection.code().entry().phrase),
            false => rejection.facts().clone(),
        };
        Self { code, facts }
    }
}

impl fmt::Display for EventFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.facts)
    }
}

impl std::error::Error for EventFault {}
