//! Rows about tokens that are bound to a key (RFC 7800, section 3.1).
//!
//! Proofs of possession are not checked yet. A bound token without its proof is refused: taken as a
//! plain bearer token, it would be worth as much to a thief as to its owner.

use crate::verify::display::{MemberNames, list};
use crate::verify::examination::CheckResult::{self, DoesNotApply};
use crate::verify::examination::Examination;

/// The confirmation methods with a proof of their own (RFC 9449, section 6.1; RFC 8705, section
/// 3.1).
const CONFIRMATIONS: &[&str] = &["jkt", "x5t#S256"];

/// `cnf` holds known methods only.
pub(crate) fn method(x: &Examination<'_>) -> CheckResult {
    let Some(confirmation) = x.claims.confirmation() else {
        return DoesNotApply;
    };
    // An empty `cnf` says that there is a binding, and not to what.
    let mut passes = !confirmation.is_empty();
    for (name, _) in confirmation.iter() {
        passes &= CONFIRMATIONS.contains(&name);
    }
    let expected = format_args!("`cnf` to hold {}", list(CONFIRMATIONS));
    x.judge(passes, &expected, &"another confirmation method")
}

/// The token is not bound to a key.
pub(crate) fn possession(x: &Examination<'_>) -> CheckResult {
    let Some(confirmation) = x.claims.confirmation() else {
        return DoesNotApply;
    };
    let found = format_args!("`cnf` with {}", MemberNames(confirmation));
    x.judge(false, &"a token that is not bound to a key", &found)
}
