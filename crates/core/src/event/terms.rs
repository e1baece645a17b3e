//! What a receiver demands of the tokens that are sent to it.

use crate::token::Issuer;
use std::time::Duration;

/// What logout tokens of one issuer must meet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogoutTerms {
    /// Who signs people in.
    pub issuer: Issuer,
    /// The client identifiers that logout tokens may be for.
    pub clients: Vec<String>,
    /// How far the clocks may be apart. Default 60 seconds.
    pub leeway: Duration,
    /// Whether a token without `typ`, or with `JWT`, is accepted (section 2.4 only recommends
    /// `logout+jwt`). Default no.
    pub accepts_untyped: bool,
    /// Whether a token without `exp` is accepted: the first edition of the standard had none.
    /// Default no.
    pub accepts_endless: bool,
}

impl LogoutTerms {
    /// The terms of an issuer for these clients.
    pub fn new(issuer: Issuer, clients: impl IntoIterator<Item = String>) -> Self {
        Self {
            issuer,
            clients: clients.into_iter().collect(),
            leeway: LEEWAY,
            accepts_untyped: false,
            accepts_endless: false,
        }
    }
}

/// What the events of one stream must meet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventTerms {
    /// Who signs the events: the transmitter.
    pub transmitter: Issuer,
    /// What `aud` may hold.
    pub audiences: Vec<String>,
    /// The issuers whose subjects the transmitter may speak of.
    pub subject_issuers: Vec<Issuer>,
    /// How far the clocks may be apart. Default 60 seconds.
    pub leeway: Duration,
    /// Which edition of the standards the transmitter follows.
    pub profile: EventProfile,
    /// The members of a complex subject that the transmitter calls critical (SSF 1.0, section 7.1).
    pub critical_members: Vec<String>,
}

/// The edition of the standards that a transmitter follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventProfile {
    /// The final editions of September 2025.
    #[default]
    Final,
    /// Earlier drafts: the subject may be in the event, and times in milliseconds.
    Draft,
    /// Google's Cross-Account Protection: as in drafts, and the tokens name no type.
    Google,
}

impl EventProfile {
    /// Whether the subject may be a member of the event.
    pub(super) const fn has_inner_subject(self) -> bool {
        matches!(self, Self::Draft | Self::Google)
    }

    /// Whether a token may have no type of its own.
    pub(super) const fn is_untyped(self) -> bool {
        matches!(self, Self::Google)
    }
}

/// The tolerated difference between two clocks where nothing else is said.
const LEEWAY: Duration = Duration::from_secs(60);

impl EventTerms {
    /// The terms of a transmitter that speaks of its own subjects.
    pub fn new(transmitter: Issuer, audiences: impl IntoIterator<Item = String>) -> Self {
        Self {
            subject_issuers: vec![transmitter.clone()],
            transmitter,
            audiences: audiences.into_iter().collect(),
            leeway: LEEWAY,
            profile: EventProfile::default(),
            critical_members: Vec::new(),
        }
    }
}
