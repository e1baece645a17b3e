//! Seconds since 1970 (RFC 7519, section 2), with arithmetic that cannot wrap.

use crate::jose::json::{Json, Number};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment, in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumericDate(i64);

impl NumericDate {
    /// The moment so many seconds after 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// Reads a claim: an integer, or a number with a fraction, which is cut off.
    ///
    /// `None` for every other type, and for numbers that a double does not hold exactly (beyond
    /// 2^53).
    pub fn from_json(value: &Json) -> Option<Self> {
        // Beyond 2^53 a double skips whole numbers, so the moment would not be the one written.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match value {
            Json::Number(Number::Integer(seconds)) => Some(Self(*seconds)),
            Json::Number(Number::Float(seconds)) if seconds.abs() < EXACT =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "whole and within 2^53 by the guard"
                )]
                Some(Self(seconds.floor() as i64))
            }
            _ => None,
        }
    }

    /// This moment, later by `seconds`; at most the end of time.
    pub const fn plus(self, seconds: i64) -> Self {
        // `exp` may be the largest integer there is; a date that wraps would lie in the past.
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this moment, negative if it is not earlier.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<SystemTime> for NumericDate {
    fn from(time: SystemTime) -> Self {
        let since = time
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for NumericDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_numbers_and_nothing_else() {
        let float = |value| NumericDate::from_json(&Json::Number(Number::Float(value)));
        assert_eq!(
            NumericDate::from_json(&Json::from(-5)),
            Some(NumericDate(-5))
        );
        assert_eq!(float(1.9), Some(NumericDate(1)));
        assert_eq!(float(-0.5), Some(NumericDate(-1)));
        assert_eq!(float(1e300), None);
        assert_eq!(
            float(9_007_199_254_740_991.0),
            Some(NumericDate(9_007_199_254_740_991))
        );
        assert_eq!(float(9_007_199_254_740_992.0), None);
        assert_eq!(
            NumericDate::from_json(&Json::Number(Number::Unsigned(u64::MAX))),
            None
        );
        assert_eq!(NumericDate::from_json(&Json::from("1")), None);
        assert_eq!(NumericDate::from_json(&Json::Null), None);
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(NumericDate(i64::MAX).plus(60), NumericDate(i64::MAX));
        assert_eq!(NumericDate(i64::MIN).since(NumericDate(1)), i64::MIN);
        assert_eq!(NumericDate(-7).to_string(), "-7");
    }
}
