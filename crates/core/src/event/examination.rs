//! How a table of checks is run over a token of any kind: before its key is looked for, and again
//! over what the key proves.

use super::fault::{EventErrorCode, EventFault};
use crate::jose::{Header, SignedToken, UnverifiedToken};
use crate::rejection::Facts;
use crate::token::{Claims, NumericDate};

/// One check, and what the sender is told if it fails.
pub(super) struct EventCheck<T> {
    code: EventErrorCode,
    run: fn(&EventExamination<'_, T>) -> Result<(), Facts>,
}

/// One token before one receiver at one moment.
pub(super) struct EventExamination<'x, T> {
    pub(super) header: &'x Header,
    pub(super) claims: &'x Claims,
    pub(super) terms: &'x T,
    pub(super) now: NumericDate,
}

pub(super) const fn row<T>(
    code: EventErrorCode,
    run: fn(&EventExamination<'_, T>) -> Result<(), Facts>,
) -> EventCheck<T> {
    EventCheck { code, run }
}

/// Runs a table over what a token says of itself. It proves nothing, and costs neither a signature
/// nor a fetch of keys.
pub(super) fn screen<T>(
    table: &[EventCheck<T>],
    token: &UnverifiedToken<'_>,
    terms: &T,
    now: NumericDate,
) -> Result<(), EventFault> {
    let (header, claims) = (token.header(), token.unverified_claims());
    let x = EventExamination {
        header,
        claims,
        terms,
        now,
    };
    run(table, &x)
}

/// The claims of a signed token that passes a table.
pub(super) fn verify<T>(
    table: &[EventCheck<T>],
    token: SignedToken,
    terms: &T,
    now: NumericDate,
) -> Result<Claims, EventFault> {
    let x = EventExamination {
        header: token.header(),
        claims: token.claims(),
        terms,
        now,
    };
    run(table, &x)?;
    let (_, claims, _) = token.into_parts();
    Ok(claims)
}

/// Runs a table to its first fault.
pub(super) fn run<T>(
    table: &[EventCheck<T>],
    x: &EventExamination<'_, T>,
) -> Result<(), EventFault> {
    for check in table {
        (check.run)(x).map_err(|facts| EventFault::new(check.code, facts))?;
    }
    Ok(())
}
