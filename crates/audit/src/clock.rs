//! How far a provider's clock is from ours: by `Date`, with the round trip as tolerance.

use http::HeaderName;
use http::header::{AGE, DATE};
use portcullis_core::token::NumericDate;
use portcullis_provider::inspect::InspectedResponse;

/// The difference, in seconds, from which on it is worth a finding.
pub const DRIFT: i64 = 10;

/// How far the clocks are certainly apart, in seconds: positive where theirs is ahead.
#[must_use]
pub fn difference(answer: &InspectedResponse) -> Option<i64> {
    let date = httpdate::parse_http_date(field(answer, DATE)?).ok()?;
    // A cached answer has the date of the original (RFC 9110, section 6.6.1), so its age is added.
    let age: u32 = match field(answer, AGE) {
        Some(age) => age.parse().unwrap_or_default(),
        None => 0,
    };
    let theirs = NumericDate::from(date).plus(age.into());
    // The answer was made at some moment between these two; both clocks tell whole seconds.
    let start = answer.asked;
    let took = i64::try_from(answer.took.as_secs()).unwrap_or(i64::MAX);
    let end = start.plus(took).plus(1);
    if theirs > end {
        Some(theirs.since(end))
    } else {
        Some(theirs.since(start).saturating_add(1).min(0))
    }
}

fn field(answer: &InspectedResponse, name: HeaderName) -> Option<&str> {
    answer.headers.get(name)?.to_str().ok()
}

/// A difference in words.
#[must_use]
pub fn describe(seconds: i64) -> String {
    let which = if seconds > 0 {
        "theirs is ahead"
    } else {
        "theirs is behind"
    };
    format!("{} seconds: {which}", seconds.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use std::time::Duration;

    /// What is found where our clock shows 1,800,000,000 as we ask, and the answer has these
    /// headers.
    fn found(date: i64, age: Option<&str>, took: u64) -> Option<i64> {
        let mut headers = HeaderMap::new();
        let date = std::time::UNIX_EPOCH + Duration::from_secs(date.unsigned_abs());
        headers.insert(DATE, httpdate::fmt_http_date(date).parse().unwrap());
        if let Some(age) = age {
            headers.insert(AGE, age.parse().unwrap());
        }
        let asked = NumericDate::from_seconds(1_800_000_000);
        difference(&InspectedResponse {
            status: 200,
            headers,
            body: Vec::new(),
            asked,
            took: Duration::from_secs(took),
        })
    }

    #[test]
    fn the_round_trip_is_tolerance() {
        assert_eq!(found(1_800_000_000, None, 0), Some(0));
        assert_eq!(found(1_800_000_001, None, 0), Some(0));
        assert_eq!(found(1_799_999_999, None, 0), Some(0));
        assert_eq!(found(1_800_000_005, None, 5), Some(0));
        assert_eq!(found(1_800_000_010, None, 5), Some(4));
        assert_eq!(found(1_799_999_900, None, 5), Some(-99));
    }

    #[test]
    fn the_age_of_a_kept_answer_counts() {
        assert_eq!(found(1_799_999_000, Some("1000"), 0), Some(0));
        assert_eq!(found(1_799_999_000, Some("nonsense"), 0), Some(-999));
    }
}
