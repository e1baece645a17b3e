//! Rows about time: when a token ends, begins and was issued.

use crate::token::NumericDate;
use crate::verify::display::Moment;
use crate::verify::examination::CheckResult::{self, DoesNotApply};
use crate::verify::examination::Examination;

/// `exp` lies ahead (RFC 7519, section 4.1.4). At that second itself, the token has expired.
pub(crate) fn expiry(x: &Examination<'_>) -> CheckResult {
    if may_lack_expiry(x) {
        return DoesNotApply;
    }
    let date = x.claims.expires();
    let leeway = x.profile().leeway_seconds();
    let passes = match date {
        Some(exp) => x.now < exp.plus(leeway),
        None => false,
    };
    let expected = format_args!("`exp` after {}, less a leeway of {leeway} s", x.now);
    x.judge(passes, &expected, &Moment { date, now: x.now })
}

/// `nbf` has come (RFC 7519, section 4.1.5).
pub(crate) fn not_before(x: &Examination<'_>) -> CheckResult {
    has_come(x, "nbf", x.claims.not_before())
}

/// `iat` has come: a token from the future shows that a clock is wrong.
pub(crate) fn issued_at(x: &Examination<'_>) -> CheckResult {
    has_come(x, "iat", x.claims.issued_at())
}

/// `exp` is not too far ahead: a stolen token is good until then (RFC 9700, section 4.10).
pub(crate) fn lifetime(x: &Examination<'_>) -> CheckResult {
    if may_lack_expiry(x) {
        return DoesNotApply;
    }
    let date = x.claims.expires();
    let longest = x.profile().max_lifetime_seconds();
    let passes = match date {
        Some(exp) => exp.since(x.now) <= longest,
        None => false,
    };
    let expected = format_args!("`exp` at most {longest} s ahead");
    x.judge(passes, &expected, &Moment { date, now: x.now })
}

/// A JWT must say when it ends. An issuer's answer may leave it out (RFC 7662, section 2.2), and is
/// then asked for again soon.
fn may_lack_expiry(x: &Examination<'_>) -> bool {
    x.header().is_none() && x.claims.expires().is_none()
}

fn has_come(x: &Examination<'_>, claim: &str, date: Option<NumericDate>) -> CheckResult {
    let Some(moment) = date else {
        return DoesNotApply;
    };
    let leeway = x.profile().leeway_seconds();
    let passes = moment <= x.now.plus(leeway);
    let expected = format_args!("`{claim}` until {}, plus a leeway of {leeway} s", x.now);
    x.judge(passes, &expected, &Moment { date, now: x.now })
}
