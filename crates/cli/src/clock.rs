//! The time, as the command and its pages show it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
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

/// A moment in the zone of this machine, or of `TZ`: `2027-01-15 09:00:00 +01:00`. None before 1970
/// and in the last days of the year 9999, which end earlier in other zones.
pub(crate) fn local(seconds: i64) -> Option<String> {
    in_zone(seconds, TimeZone::system())
}

fn in_zone(seconds: i64, zone: TimeZone) -> Option<String> {
    // The formatter fails on later moments, and a token may name any.
    if !(0..=LAST_SECOND).contains(&seconds) {
        return None;
    }
    // With its offset: a report is often read by somebody in another zone.
    let moment = Timestamp::from_second(seconds)
        .ok()?
        .to_zoned_datetime(zone);
    Some(moment.strftime("%Y-%m-%d %H:%M:%S %:z").to_string())
}

/// How far away a moment is, such as `in 59 min` or `2 h 5 min ago`.
pub(crate) fn distance(seconds: i64) -> String {
    // `abs` would overflow for the least number, which a token can name.
    let span = rough_span(seconds.unsigned_abs());
    if seconds > 0 {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

/// A span in its largest unit, and in the next one where hours or days are counted.
fn rough_span(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let (large, small) = match seconds {
        ..MINUTE => ((seconds, "s"), (0, "")),
        MINUTE..HOUR => ((seconds / MINUTE, "min"), (0, "")),
        HOUR..DAY => ((seconds / HOUR, "h"), (seconds % HOUR / MINUTE, "min")),
        _ => ((seconds / DAY, "d"), (seconds % DAY / HOUR, "h")),
    };
    match small {
        (0, _) => format!("{} {}", large.0, large.1),
        (count, unit) => format!("{} {} {count} {unit}", large.0, large.1),
    }
}

/// The seconds since 1970 of a moment of RFC 3339.
pub(crate) fn seconds_of(moment: &str) -> Option<i64> {
    let moment: Timestamp = moment.parse().ok()?;
    Some(moment.as_second())
}

/// The end of the year 9999: the format has no later moment.
const LAST_SECOND: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_in_a_zone_and_by_their_distance() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let moment = in_zone(1_800_000_000, zone.clone()).unwrap();
        assert_eq!(moment, "2027-01-15 09:00:00 +01:00");
        for seconds in [-1, LAST_SECOND + 1, i64::MIN, i64::MAX] {
            assert_eq!(in_zone(seconds, zone.clone()), None, "{seconds}");
        }
        assert!(in_zone(LAST_SECOND - 200_000, zone).is_some());
        assert_eq!(seconds_of("2027-01-15T08:00:00Z"), Some(1_800_000_000));
        assert_eq!(seconds_of("soon"), None);
        for (seconds, expected) in [
            (0, "0 s ago"),
            (-59, "59 s ago"),
            (3_599, "in 59 min"),
            (3_600, "in 1 h"),
            (-7_500, "2 h 5 min ago"),
            (90_000, "in 1 d 1 h"),
            (i64::MIN, "106751991167300 d 15 h ago"),
        ] {
            assert_eq!(distance(seconds), expected);
        }
    }
}
