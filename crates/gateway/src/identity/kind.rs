//! The word for the kind of a caller, in headers, assertions and audit records.

use portcullis_core::token::Kind;

pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::Application => "application",
        Kind::Unknown => "unknown",
    }
}
