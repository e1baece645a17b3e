//! One revocation as the command line asks for it.

use portcullis_core::token::{Issuer, NumericDate};
use portcullis_resource_server::Revocation;

/// A revocation, and what a person should know of it.
pub(super) struct RevocationOrder {
    pub(super) revocation: Revocation,
    /// Whose tokens; of a key, everybody's.
    pub(super) issuer: Option<Issuer>,
    /// The name as it was typed; none for a token, which is not shown.
    pub(super) name: Option<String>,
    /// When the token expires, if it is one and says so.
    pub(super) expires: Option<NumericDate>,
    /// Whether the issuer made the token; none where no token was given.
    pub(super) signature: Option<TokenSignature>,
}

/// What is known of the signature of a token that is revoked. One that is wrong is not revoked.
pub(super) enum TokenSignature {
    /// Its algorithm and key.
    Verified(String),
    /// Why nobody could tell.
    Unverified(String),
}

impl TokenSignature {
    pub(super) const fn is_verified(&self) -> bool {
        matches!(self, Self::Verified(_))
    }
}
