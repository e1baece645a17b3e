//! Rows about tokens that are bound to a key (RFC 7800, section 3.1). Whether the caller has that
//! key is checked afterwards, by [`proof::prove`](crate::proof::prove).

use crate::proof::Confirmation;
use crate::verify::display::list;
use crate::verify::examination::CheckResult::{self, DoesNotApply};
use crate::verify::examination::Examination;

/// `cnf` holds known methods only.
pub(crate) fn method(x: &Examination<'_>) -> CheckResult {
    let Some(confirmation) = x.claims.confirmation() else {
        return DoesNotApply;
    };
    // An empty `cnf` says that there is a binding, and not to what.
    let passes = Confirmation::read(confirmation).is_some();
    let known = |(name, value)| !Confirmation::is_malformed(name, value);
    let found = if passes {
        "known methods"
    } else if confirmation.iter().all(known) {
        "another confirmation method"
    } else {
        "a value that is no SHA-256 in base64url"
    };
    let expected = format_args!("`cnf` to hold {}", list(&Confirmation::MEMBERS));
    x.judge(passes, &expected, &found)
}

/// The token is bound as its issuer's settings demand.
pub(crate) fn demand(x: &Examination<'_>) -> CheckResult {
    let Some(binding) = x.profile().bound else {
        return DoesNotApply;
    };
    let confirmation = x.claims.confirmation().and_then(Confirmation::read);
    let passes = binding.is_met_by(confirmation.as_ref());
    let found = match confirmation {
        Some(_) if passes => "one that is bound so",
        Some(_) => "one that is bound otherwise",
        None => "one that is not bound",
    };
    x.judge(passes, &binding, &found)
}
