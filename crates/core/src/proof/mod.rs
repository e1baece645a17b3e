//! Proof of possession: the caller holds what its token is bound to (RFC 9449, RFC 8705).
//!
//! A token whose claims were verified is a [`VerifiedToken`]. It becomes an [`AccessToken`] here
//! and nowhere else: by what the request [shows](Presentation) beside it. A bound token that comes
//! as a plain bearer token is refused: it would be worth as much to a thief as to its owner.
//!
//! Does not check: whether a proof was used before. The memory of that is outside of this crate, so
//! a proof leads to an [`UnusedProof`], and its answer to the token.

mod binding;
pub mod checks;
mod confirmation;
mod explain;
#[cfg(test)]
mod explain_tests;
mod nonce;
mod presentation;
mod reading;
mod terms;
#[cfg(test)]
mod tests;
mod thumbprint;

pub use binding::Binding;
pub use confirmation::Confirmation;
pub use explain::{USE_OF_PROOF, explain};
pub use nonce::Nonces;
pub use presentation::Presentation;
pub use terms::ProofTerms;
pub use thumbprint::Thumbprint;

use crate::EffectiveUrl;
use crate::credential::Scheme;
use crate::rejection::{Code, Facts, Rejection};
use crate::token::{AccessToken, NumericDate, VerifiedToken};
use aws_lc_rs::digest;
use checks::ProofExamination;

/// What a request has shown.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must tell the two apart")]
pub enum Possession {
    /// All that the token demands.
    Shown(AccessToken),
    /// A proof that is good if nobody used it before.
    Proven(UnusedProof),
}

/// A proof that passed every check but one: whether it was used before.
#[derive(Debug)]
pub struct UnusedProof {
    token: AccessToken,
    id: ProofId,
}

/// What a proof is remembered by: its key and its `jti`, as a digest of fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProofId {
    /// SHA-256 over the thumbprint and the `jti`.
    pub digest: [u8; 32],
    /// From then on the proof is refused for its age, and may be forgotten.
    pub until: NumericDate,
}

impl UnusedProof {
    /// What the proof is remembered by.
    pub fn id(&self) -> &ProofId {
        &self.id
    }

    /// The token, if this was the first use of the proof.
    ///
    /// # Errors
    ///
    /// `proof.replayed`, if it was not.
    pub fn mark_used(self, first: bool) -> Result<AccessToken, Rejection> {
        if first {
            return Ok(self.token);
        }
        let facts = Facts::new("a new proof for each request", "one that was used before");
        Err(Rejection::with(Code::ProofReplayed, facts))
    }
}

/// Checks that the request shows what its token is bound to.
///
/// # Errors
///
/// A code of the family `proof`.
pub fn prove(
    token: VerifiedToken,
    presentation: &Presentation<'_>,
    terms: &ProofTerms,
    now: NumericDate,
) -> Result<Possession, Rejection> {
    let confirmation = token.confirmation()?;
    let key = confirmation.and_then(|it| it.key);
    let certificate = confirmation.and_then(|it| it.certificate);
    if let Some(certificate) = certificate {
        check_certificate(&certificate, presentation)?;
    }
    match (key, presentation.scheme) {
        (None, Scheme::Bearer) => Ok(Possession::Shown(token.into_access_token())),
        (None, Scheme::Dpop) => Err(unbound("a token that is bound to no key")),
        (Some(_), Scheme::Bearer) => {
            let facts = Facts::new("the scheme `DPoP` with a proof", "the scheme `Bearer`");
            Err(Rejection::with(Code::ProofMissing, facts).offering(terms.offer(now)))
        }
        (Some(key), Scheme::Dpop) => {
            let id = check_proof(&key, presentation, terms, now)?;
            let token = token.into_access_token();
            Ok(Possession::Proven(UnusedProof { token, id }))
        }
    }
}

/// RFC 8705, section 3: the certificate of the connection is the one of the token, whoever signed
/// it.
fn check_certificate(
    bound_to: &Thumbprint,
    presentation: &Presentation<'_>,
) -> Result<(), Rejection> {
    let Some(shown) = presentation.certificate else {
        let facts = Facts::new(
            "the client certificate of the token",
            "no client certificate",
        );
        return Err(Rejection::with(Code::ProofMissing, facts));
    };
    if shown == bound_to {
        return Ok(());
    }
    Err(binding("certificate", bound_to, shown))
}

fn check_proof(
    bound_to: &Thumbprint,
    presentation: &Presentation<'_>,
    terms: &ProofTerms,
    now: NumericDate,
) -> Result<ProofId, Rejection> {
    // First, since a client that sent none can mend that whatever the URL is.
    let text = reading::find(presentation.headers)?;
    let url = url_of(presentation)?;
    let proof = reading::parse(text, terms)?;
    let examination = ProofExamination::new(&proof, presentation, Some(url), terms, now);
    let key = checks::run(&examination)?;
    check_key(bound_to, &key)?;
    Ok(ProofId {
        digest: digest_of(&key, proof.jti().unwrap_or_default()),
        until: examination.forgotten_from(),
    })
}

/// What the client asked for. Without it, no other proof would help the client.
fn url_of<'r>(presentation: &Presentation<'r>) -> Result<&'r EffectiveUrl, Rejection> {
    presentation.url.ok_or_else(|| {
        let facts = Facts::new(
            "the URL of the request",
            "none: no `public_origin` in the settings, or a guard that sees headers only",
        );
        Rejection::with(Code::ProofUnsupported, facts)
    })
}

/// A proof by another key proves that somebody has that key, and nothing about this token.
fn check_key(bound_to: &Thumbprint, key: &Thumbprint) -> Result<(), Rejection> {
    if key == bound_to {
        return Ok(());
    }
    Err(binding("key", bound_to, key))
}

fn digest_of(key: &Thumbprint, jti: &str) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    // The thumbprint has a fixed length, so no two pairs run together.
    context.update(key.as_bytes());
    context.update(jti.as_bytes());
    *Thumbprint::of(&context.finish()).as_bytes()
}

fn binding(what: &'static str, expected: &Thumbprint, found: &Thumbprint) -> Rejection {
    let facts = Facts::new(format!("the {what} {expected}"), found.to_string());
    Rejection::with(Code::ProofBinding, facts)
}

fn unbound(found: &'static str) -> Rejection {
    let facts = Facts::new("a token that is bound to the key of the proof", found);
    Rejection::with(Code::ProofUnbound, facts)
}
