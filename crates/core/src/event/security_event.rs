//! Security event tokens (RFC 8417), as the Shared Signals Framework 1.0 has them.

use super::checks::{self, SECURITY_EVENT_CHECKS};
use super::event_type::EventType;
use super::examination;
use super::fault::EventFault;
use super::subject::SubjectId;
use super::terms::EventTerms;
use crate::jose::json::{Json, Object, Text};
use crate::jose::{SignedToken, UnverifiedToken};
use crate::token::{Claims, NumericDate};

/// A verified security event token. It holds one event; several only under several names of the
/// same.
#[derive(Clone, Debug)]
pub struct SecurityEventToken {
    token_id: Text,
    transaction: Option<Text>,
    issued_at: NumericDate,
    events: Vec<SecurityEvent>,
}

/// Something that happened to somebody.
#[derive(Clone, Debug)]
pub struct SecurityEvent {
    event_type: Option<EventType>,
    uri: Text,
    subject: SubjectId,
    happened_at: NumericDate,
    members: Object,
}

impl SecurityEventToken {
    /// Checks what needs no key, so that junk causes no fetch of keys.
    ///
    /// # Errors
    ///
    /// The first fault, with the code for the transmitter.
    pub fn screen(
        token: &UnverifiedToken<'_>,
        terms: &EventTerms,
        now: NumericDate,
    ) -> Result<(), EventFault> {
        examination::screen(SECURITY_EVENT_CHECKS, token, terms, now)
    }

    /// The events that a signed token tells.
    ///
    /// # Errors
    ///
    /// The first fault, with the code for the transmitter.
    pub fn verify(
        token: SignedToken,
        terms: &EventTerms,
        now: NumericDate,
    ) -> Result<Self, EventFault> {
        let claims = examination::verify(SECURITY_EVENT_CHECKS, token, terms, now)?;
        Ok(Self::read(&claims, terms))
    }

    /// Reads claims that passed every check.
    pub(super) fn read(claims: &Claims, terms: &EventTerms) -> Self {
        let issued_at = claims.issued_at();
        let issued_at = issued_at.unwrap_or(NumericDate::from_seconds(0));
        let mut events = Vec::new();
        // Every one was looked at by the table, so nothing is dropped here.
        let found = claims.claim("events").and_then(Json::as_object);
        for (uri, event) in found.into_iter().flat_map(Object::iter) {
            let happened_at = checks::event_time(event, terms).ok().flatten();
            let subject = checks::subject(claims, event, terms);
            events.push(SecurityEvent {
                event_type: EventType::from_uri(uri),
                uri: uri.into(),
                subject: subject.unwrap_or(SubjectId::Other),
                happened_at: happened_at.unwrap_or(issued_at),
                members: event.as_object().cloned().unwrap_or_default(),
            });
        }
        let transaction = claims.claim("txn").and_then(Json::as_str);
        Self {
            token_id: claims.token_id().unwrap_or_default().into(),
            transaction: transaction.map(Text::from),
            issued_at,
            events,
        }
    }

    /// `jti`: what the token is known by.
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// `txn`: what several tokens about the same cause have in common (RFC 8417, section 2.2).
    pub fn transaction(&self) -> Option<&str> {
        self.transaction.as_deref()
    }

    /// `iat`: when the transmitter signed it.
    pub fn issued_at(&self) -> NumericDate {
        self.issued_at
    }

    /// What happened.
    pub fn events(&self) -> &[SecurityEvent] {
        &self.events
    }
}

impl SecurityEvent {
    /// Its type; `None` for one that is not known here.
    pub fn event_type(&self) -> Option<EventType> {
        self.event_type
    }

    /// The URI of its type.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Whom it is about.
    pub fn subject(&self) -> &SubjectId {
        &self.subject
    }

    /// `event_timestamp`, or else the `iat` of the token.
    pub fn happened_at(&self) -> NumericDate {
        self.happened_at
    }

    /// A member of the event.
    pub fn member(&self, name: &str) -> Option<&Json> {
        self.members.get(name)
    }

    /// Whether things got worse, for the types that tell of both directions: a device that keeps
    /// the rules again ends nothing.
    pub fn is_adverse(&self) -> bool {
        let text = |name| {
            self.member(name)
                .and_then(Json::as_str)
                .unwrap_or_default()
        };
        match self.event_type {
            // CAEP 1.0, section 3.3.1. A new credential beside the others takes none away.
            Some(EventType::CredentialChange) => text("change_type") != "create",
            // Section 3.5.1.
            Some(EventType::DeviceComplianceChange) => text("current_status") != "compliant",
            // Section 3.4.1: the direction is optional, and without it nobody can tell.
            Some(EventType::AssuranceLevelChange) => text("change_direction") != "increase",
            // Section 3.8.1.
            Some(EventType::RiskLevelChange) => text("current_level") == "HIGH",
            _ => true,
        }
    }
}
