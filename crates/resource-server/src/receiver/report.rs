//! What came to a receiver, and what became of it: for audit records and logs.

use portcullis_core::event::EventFault;
use portcullis_core::rejection::quote;
use portcullis_core::{Denial, Outage, Rejection};
use std::fmt;

/// The report about one event.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EventReport {
    /// The receiver: `logout`, or the name of the stream.
    pub receiver: String,
    /// The name of the event; `unknown` for one that is not known, `none` where nothing could be
    /// read.
    pub event: &'static str,
    /// What became of it.
    pub outcome: EventOutcome,
    /// The marks under which tokens are refused from now on: kinds and digests.
    pub marks: Vec<String>,
    /// `jti` of the token, escaped and cut.
    pub token_id: Option<String>,
    /// Why it was refused, or cannot be taken at this moment. It may quote the token.
    pub facts: Option<String>,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventOutcome {
    /// Tokens end by it.
    Applied,
    /// It was taken before.
    Repeated,
    /// It ends nothing, by its type or by the settings.
    Ignored,
    /// It is about nobody whom tokens here could name.
    Unmapped,
    /// It is not what it should be.
    Refused,
    /// It cannot be taken at this moment: the sender has to send it again.
    Failed,
}

impl EventOutcome {
    /// Every outcome.
    pub const ALL: &'static [Self] = &[
        Self::Applied,
        Self::Repeated,
        Self::Ignored,
        Self::Unmapped,
        Self::Refused,
        Self::Failed,
    ];

    /// The outcome in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Repeated => "repeated",
            Self::Ignored => "ignored",
            Self::Unmapped => "unmapped",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Why something was not taken.
#[derive(Clone, Debug)]
pub(crate) enum ReceptionFault {
    /// It is not what it should be.
    Refused(EventFault),
    /// Nobody can tell at this moment, or it cannot be written.
    Failed(Outage),
}

impl From<EventFault> for ReceptionFault {
    fn from(fault: EventFault) -> Self {
        Self::Refused(fault)
    }
}

impl From<Outage> for ReceptionFault {
    fn from(outage: Outage) -> Self {
        Self::Failed(outage)
    }
}

impl From<Rejection> for ReceptionFault {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(rejection.into())
    }
}

impl From<Denial> for ReceptionFault {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Rejection(rejection) => rejection.into(),
            Denial::Outage(outage) => outage.into(),
        }
    }
}

impl fmt::Display for ReceptionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(fault) => fault.fmt(f),
            Self::Failed(outage) => write!(f, "{}: {}", outage.code(), outage.facts()),
        }
    }
}

/// What a receiver did with one token.
#[derive(Clone, Debug)]
pub(crate) struct Reception {
    pub(crate) reports: Vec<EventReport>,
    pub(crate) result: Result<(), ReceptionFault>,
}

impl Reception {
    pub(crate) fn of(
        receiver: &str,
        token_id: Option<String>,
        result: Result<Vec<EventReport>, ReceptionFault>,
    ) -> Self {
        let fault = match result {
            Ok(reports) => {
                return Self {
                    reports,
                    result: Ok(()),
                };
            }
            Err(fault) => fault,
        };
        // What could not be read or proven has no event of its own.
        let report = EventReport {
            receiver: receiver.to_owned(),
            event: "none",
            outcome: match fault {
                ReceptionFault::Refused(_) => EventOutcome::Refused,
                ReceptionFault::Failed(_) => EventOutcome::Failed,
            },
            marks: Vec::new(),
            token_id,
            facts: Some(fault.to_string()),
        };
        Self {
            reports: vec![report],
            result: Err(fault),
        }
    }
}

/// A `jti` for records: escaped and cut, and without quotes, so that records can be joined by it.
pub(crate) fn plain_id(token_id: &str) -> String {
    let quoted = quote(token_id);
    let plain = quoted.strip_prefix('`');
    let plain = plain.and_then(|it| it.strip_suffix('`'));
    plain.unwrap_or(&quoted).to_owned()
}

impl EventReport {
    /// Tells it to the operator's log, at debug where a record of it is written.
    pub(super) fn log(&self, is_recorded: bool) {
        let (receiver, event) = (self.receiver.as_str(), self.event);
        let outcome = self.outcome.as_str();
        let (jti, facts) = (self.token_id.as_deref(), self.facts.as_deref());
        // Digests, and no names: the log is not where people are looked up.
        let marks = self.marks.join(" ");
        if is_recorded {
            tracing::debug!(receiver, event, outcome, jti, facts, marks, "an event came");
            return;
        }
        match self.outcome {
            EventOutcome::Refused | EventOutcome::Failed => {
                tracing::warn!(
                    receiver,
                    event,
                    outcome,
                    jti,
                    facts,
                    "an event was not taken"
                );
            }
            EventOutcome::Unmapped => tracing::warn!(
                receiver,
                event,
                outcome,
                jti,
                "an event is about nobody whom tokens here name"
            ),
            _ => tracing::info!(receiver, event, outcome, jti, marks, "an event was taken"),
        }
    }
}
