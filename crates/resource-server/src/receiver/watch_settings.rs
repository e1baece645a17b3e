//! The settings of streams that are looked after at their transmitter, as meant.

use super::access::{AccessPlace, AccessSettings};
use super::poll_settings::PollSettings;
use std::time::Duration;

/// How a stream is looked after.
#[derive(Clone, Debug)]
pub(crate) struct WatchSettings {
    pub(crate) stream_id: String,
    /// A verification event is asked for at least so often.
    pub(crate) verify_every: Duration,
    pub(crate) access: AccessSettings,
}

/// A day: a broken stream is noticed before most tokens of a person's next day.
const VERIFY_EVERY: u64 = 86_400;

/// How a stream is looked after; `None` where the settings do not name it.
pub(super) fn watch(place: &AccessPlace<'_>, poll: Option<&PollSettings>) -> Option<WatchSettings> {
    let (written, faults) = (place.written, place.faults);
    let verify_every = match written.verify_every.unwrap_or(VERIFY_EVERY) {
        // Transmitters refuse more, and each costs them a signature.
        seconds @ 60..=2_592_000 => Some(Duration::from_secs(seconds)),
        other => {
            faults
                .expected("verify_every", "60 to 2592000 seconds")
                .found(other)
                .help("write a day, `86400`, or what the transmitter allows");
            None
        }
    };
    let Some(stream_id) = &written.stream_id else {
        let given = match (written.verify_every, &written.client.id) {
            (Some(_), _) => "verify_every",
            (None, Some(_)) if !is_polled(place) => "client_id",
            _ => return None,
        };
        faults
            .expected("stream_id", "the stream that is looked after")
            .found_nothing()
            .given(&[given])
            .help("write it: `portcullis events status` shows it");
        return None;
    };
    if stream_id.trim().is_empty() {
        faults
            .expected("stream_id", "the id of the stream at the transmitter")
            .found("")
            .help("write it: `portcullis events status` shows it");
    }
    // With a poll, it is the same client. What a push carries is no secret of ours to send.
    let access = match poll {
        Some(poll) => Some(poll.access.clone()),
        None if is_polled(place) => None,
        None => place.read(None),
    };
    Some(WatchSettings {
        stream_id: stream_id.clone(),
        verify_every: verify_every?,
        access: access?,
    })
}

/// Whether the events are meant to be fetched, and the faults of that are told already.
fn is_polled(place: &AccessPlace<'_>) -> bool {
    place.written.delivery.as_deref() == Some("poll")
}
