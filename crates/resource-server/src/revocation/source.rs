//! Where a revocation comes from: an operator, a logout, or an event of a provider.

use portcullis_core::event::EventType;
use portcullis_core::token::NumericDate;
use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

/// Where a revocation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevocationSource {
    /// `portcullis revoke`, or the application.
    Operator,
    /// A logout that the provider told of (OpenID Connect Back-Channel Logout 1.0).
    Logout,
    /// A security event of this type.
    Event(EventType),
    /// One that a newer version wrote.
    Unknown,
}

const LOGOUT: &str = "backchannel-logout";

impl RevocationSource {
    /// The source in one word: `operator`, `backchannel-logout`, or the name of the event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Logout => LOGOUT,
            Self::Event(event) => event.name(),
            Self::Unknown => "unknown",
        }
    }

    /// Reads the word. A word that a newer version wrote is no reason to drop its revocation.
    #[cfg(any(feature = "redis", test))]
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "operator" => Self::Operator,
            LOGOUT => Self::Logout,
            _ => EventType::from_name(word).map_or(Self::Unknown, Self::Event),
        }
    }
}

impl fmt::Display for RevocationSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The source and its moment, and whether an account can be used again: as small as a denylist of a
/// million entries needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// Seconds since 1970: enough until 2106.
    told_at: u32,
    source: Option<RevocationSource>,
    is_lifted: bool,
}

impl Cause {
    /// Nobody said where it comes from.
    pub(super) const UNKNOWN: Self = Self {
        told_at: 0,
        source: None,
        is_lifted: false,
    };

    pub(super) fn new(source: RevocationSource, told_at: NumericDate) -> Self {
        let seconds = told_at.seconds().clamp(0, i64::from(u32::MAX));
        Self {
            told_at: u32::try_from(seconds).unwrap_or(u32::MAX),
            source: Some(source),
            is_lifted: false,
        }
    }

    /// The same, of an account that can be used again or not.
    pub(super) fn lifted_if(self, is_lifted: bool) -> Self {
        Self { is_lifted, ..self }
    }

    pub(super) fn is_lifted(self) -> bool {
        self.is_lifted
    }

    pub(super) fn source(self) -> Option<RevocationSource> {
        self.source
    }

    pub(super) fn told_at(self) -> Option<NumericDate> {
        self.source?;
        Some(NumericDate::from_seconds(i64::from(self.told_at)))
    }

    /// The later of two. Whichever comes first, all replicas keep the same one.
    pub(super) fn latest(self, other: Self) -> Self {
        // One that is known counts for more than none.
        let word = |cause: Self| cause.source.map(RevocationSource::as_str);
        let rank = |cause: Self| (cause.source.is_some(), cause.told_at, word(cause));
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }
}

/// By what and when, for the operator's log.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = UNIX_EPOCH + Duration::from_secs(u64::from(self.told_at));
        let told = humantime::format_rfc3339_seconds(told);
        match self.source {
            Some(RevocationSource::Operator) => write!(f, "by an operator at {told}"),
            None | Some(RevocationSource::Unknown) => write!(f, "at {told}"),
            Some(source) => write!(f, "by the event `{source}` of {told}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_new_ones_are_unknown() {
        let events = EventType::ALL.iter().copied();
        let mut all: Vec<_> = events.map(RevocationSource::Event).collect();
        all.extend([RevocationSource::Operator, RevocationSource::Logout]);
        for source in all {
            assert_eq!(RevocationSource::parse(source.as_str()), source);
        }
        let new = RevocationSource::parse("something-new");
        assert_eq!(new, RevocationSource::Unknown);
    }

    #[test]
    fn the_later_cause_stays_in_whatever_order_they_come() {
        let at = NumericDate::from_seconds;
        let first = Cause::new(RevocationSource::Logout, at(1_800_000_000));
        let second = Cause::new(RevocationSource::Operator, at(1_800_000_001));
        assert_eq!(first.latest(second), second);
        assert_eq!(second.latest(first), second);
        let same = Cause::new(RevocationSource::Operator, at(1_800_000_000));
        assert_eq!(first.latest(same), same.latest(first));
        assert_eq!(
            first.to_string(),
            "by the event `backchannel-logout` of 2027-01-15T08:00:00Z"
        );
        assert_eq!(second.told_at(), Some(at(1_800_000_001)));
        assert_eq!(second.latest(Cause::UNKNOWN), second);
        assert_eq!(Cause::UNKNOWN.latest(second), second);
        assert_eq!(Cause::UNKNOWN.told_at(), None);
        assert_eq!(
            Cause::new(RevocationSource::Unknown, at(-5)).told_at(),
            Some(at(0))
        );
        assert!(size_of::<Cause>() <= 8, "there may be a million");
    }
}
