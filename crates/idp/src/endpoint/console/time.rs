//! Times for people.

use maud::{Markup, html};
use std::time::{Duration, UNIX_EPOCH};

/// The end of the year 9999: later times have no date.
const LATEST: u64 = 253_402_300_799;

/// How long ago it was, or how soon it will be; the date to hover over.
pub(crate) fn when(at: u64, now: u64) -> Markup {
    let date = date(at);
    html! { time datetime=(date) title=(date) { (distance(at, now)) } }
}

/// The date in UTC.
pub(crate) fn date(at: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(at.min(LATEST))).to_string()
}

/// `3 minutes ago`, or `in 3 minutes`.
pub(crate) fn distance(at: u64, now: u64) -> String {
    let seconds = at.abs_diff(now);
    if seconds < 2 {
        return "now".to_owned();
    }
    let length = length(seconds);
    if at < now {
        format!("{length} ago")
    } else {
        format!("in {length}")
    }
}

/// The largest unit that there is at least one of.
pub(crate) fn length(seconds: u64) -> String {
    let units = [
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let (size, unit) = units
        .into_iter()
        .find(|(size, _)| seconds >= *size)
        .unwrap_or((1, "second"));
    let number = seconds / size;
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_largest_unit() {
        let told = |at| distance(at, 1_000_000);
        assert_eq!(told(1_000_000), "now");
        assert_eq!(told(999_990), "10 seconds ago");
        assert_eq!(told(1_000_061), "in 1 minute");
        assert_eq!(told(1_000_000 + 3_600), "in 1 hour");
        assert_eq!(told(1_000_000 - 200_000), "2 days ago");
        assert_eq!(date(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(date(u64::MAX), "9999-12-31T23:59:59Z");
    }
}
