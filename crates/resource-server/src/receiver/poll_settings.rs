//! The settings of streams whose events are fetched, as meant.

use super::access::{AccessPlace, AccessSettings};
use crate::settings::fetchable_url;
use portcullis_provider::client_auth::Secret;
use url::Url;

/// How events are fetched.
#[derive(Clone, Debug)]
pub(crate) struct PollSettings {
    pub(crate) url: Url,
    pub(crate) access: AccessSettings,
}

/// How events are fetched; `None` where they are pushed.
pub(super) fn poll(place: &AccessPlace<'_>, fixed: Option<&Secret>) -> Option<PollSettings> {
    let (written, faults) = (place.written, place.faults);
    match written.delivery.as_deref() {
        None | Some("push") => return None,
        Some("poll") => {}
        Some(other) => {
            faults
                .expected("delivery", "`push` or `poll`")
                .found(other)
                .help("write `poll` where the transmitter cannot reach this receiver");
            return None;
        }
    }
    let url = match &written.poll_url {
        Some(url) => fetchable_url("poll_url", url, written.danger_plain_http, faults),
        None => {
            faults
                .expected("poll_url", "where events are fetched")
                .found_nothing()
                .help("write the stream's `endpoint_url`: `portcullis events status` shows it");
            None
        }
    };
    // Both are read before the first `?`, so that one start tells all faults.
    let access = place.read(fixed);
    Some(PollSettings {
        url: url?,
        access: access?,
    })
}
