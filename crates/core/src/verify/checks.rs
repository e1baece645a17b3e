//! THE table: every check of a token's header and claims, in order, each once.
//!
//! [`screen`](super::Verifier::screen) runs the rows that need no key, so that junk never causes a
//! fetch. [`verify`](super::Verifier::verify) runs all rows after the signature. Both stop at the
//! first row that fails. [`explain_screening`](super::Verifier::explain_screening) runs on.

pub use super::check::{Check, Stage};

use super::check::row;
use super::rows::{binding, claims, kind, time};
use crate::rejection::Code;
use Stage::{AfterSignature, BeforeKeys, EveryTime};

// The order decides which code a token with several faults gets, and codes are promises to clients.
// The kind of token comes first: an ID token is told so, not that it lacks a claim.
/// The checks in their order.
#[rustfmt::skip]
pub static CHECKS: &[Check] = &[
    row("algorithm", Code::TokenAlgorithm, BeforeKeys, kind::algorithm),
    row("type", Code::TokenType, BeforeKeys, kind::header_type),
    row("kind of token", Code::TokenType, BeforeKeys, kind::marks),
    row("type of the introspected token", Code::TokenType, BeforeKeys, kind::answer_type),
    row("not an ID token", Code::TokenIdToken, BeforeKeys, kind::no_id_token),
    row("not a logout or event token", Code::TokenType, BeforeKeys, kind::no_event),
    row("issuer", Code::TokenIssuer, BeforeKeys, claims::issuer),
    row("required claims not null", Code::TokenClaimType, BeforeKeys, claims::no_null),
    row("required claims", Code::TokenClaimMissing, BeforeKeys, claims::all_required),
    row("client", Code::TokenClaimMissing, BeforeKeys, claims::client),
    row("subject", Code::TokenClaimType, BeforeKeys, claims::subject),
    row("caller", Code::TokenClaimMissing, BeforeKeys, claims::caller),
    row("expiry", Code::TokenExpired, EveryTime, time::expiry),
    row("not before", Code::TokenNotYetValid, EveryTime, time::not_before),
    row("issued at", Code::TokenNotYetValid, EveryTime, time::issued_at),
    row("lifetime", Code::TokenLifetime, EveryTime, time::lifetime),
    row("audience", Code::TokenAudience, AfterSignature, claims::audience),
    row("tenant", Code::TokenTenant, AfterSignature, claims::tenant),
    row("issuer of the key", Code::TokenKeyIssuer, AfterSignature, claims::key_issuer),
    row("configured claims", Code::TokenClaimValue, AfterSignature, claims::conditions),
    row("binding known", Code::ProofUnsupported, AfterSignature, binding::method),
    row("binding demanded", Code::ProofUnbound, AfterSignature, binding::demand),
];
