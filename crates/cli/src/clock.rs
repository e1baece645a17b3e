//! The time, as the command and its pages show it.

use portcullis_core::token::NumericDate;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time, in seconds since 1970.
pub(crate) fn now() -> i64 {
    NumericDate::from(SystemTime::now()).seconds()
}

/// A moment of RFC 3339 in UTC; none before 1970 and after the year 9999.
pub(crate) fn rfc3339(seconds: i64) -> Option<String> {
    // The formatter fails on later moments, and a token may name any.
    if !(0..=LAST_SECOND).contains(&seconds) {
        return None;
    }
    let since_1970 = Duration::from_secs(u64::try_from(seconds).ok()?);
    let time = UNIX_EPOCH.checked_add(since_1970)?;
    Some(humantime::format_rfc3339_seconds(time).to_string())
}

/// The nearest moment that RFC 3339 can express.
pub(crate) fn nearest_rfc3339(seconds: i64) -> String {
    rfc3339(seconds.clamp(0, LAST_SECOND)).unwrap_or_default()
}

/// A span of time in its two largest units, such as `5m 3s`.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    let text = humantime::format_duration(seconds).to_string();
    let units: Vec<&str> = text.split(' ').take(2).collect();
    units.join(" ")
}

/// The end of the year 9999: the format has no later moment.
const LAST_SECOND: i64 = 253_402_300_799;
