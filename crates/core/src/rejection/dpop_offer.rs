//! What a challenge says about proofs of DPoP (RFC 9449, sections 7.1 and 9).

use crate::credential::Scheme;

/// What a challenge says about proofs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the server that refuses knows all of it"
)]
pub struct DpopOffer {
    /// The algorithms of proofs that are accepted: `algs`.
    pub algorithms: String,
    /// The scheme whose challenge has the error: the one that the caller used, or should have.
    pub scheme: Scheme,
    /// Whether a token that is not bound may come as `Bearer`: then both challenges are made.
    pub allows_bearer: bool,
    /// The nonce for the next proof, if proofs need one.
    pub nonce: Option<String>,
}
