//! What can hardly be meant as it is written: a warning, since the operator may know better.

use portcullis_core::{Dialect, Faults};

/// The provider's own issuers are written otherwise.
pub(super) fn warn_of_issuer(dialect: &Dialect, url: &str, faults: &Faults) {
    // The operator may have a host that only looks like the provider's.
    if let Some(misspelling) = dialect.misspelling(url) {
        faults
            .as_warnings()
            .expected("url", misspelling.expected)
            .found(url)
            .help(misspelling.cure);
    }
}

/// No token of the provider names such an audience.
pub(super) fn warn_of_audiences(dialect: &Dialect, audiences: &[String], faults: &Faults) {
    for audience in audiences {
        if let Some(unfit) = (dialect.doubtful_audience)(audience) {
            faults
                .as_warnings()
                .expected("audience", unfit.expected)
                .found(audience)
                .help(unfit.cure);
        }
    }
}
