//! Runs the table against one token.

use super::checks::{CHECKS, Stage};
use super::examination::{CheckResult, Evidence, Examination};
use super::verifier::Verifier;
use crate::jose::{SignedToken, UnverifiedToken};
use crate::rejection::{Code, Rejection};
use crate::token::{AccessToken, Claims, NumericDate, Origin, VerifiedToken};

impl Verifier {
    /// The checks that need no key, so that junk never causes a fetch. It proves nothing.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn screen(&self, token: &UnverifiedToken<'_>, now: NumericDate) -> Result<(), Rejection> {
        let evidence = Evidence::Token {
            header: token.header(),
            key_issuer: None,
        };
        let examination = self.examine(evidence, token.unverified_claims(), now);
        run(&examination, Stage::BEFORE_SIGNATURE)
    }

    /// All checks of a token whose signature was proven.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn verify(&self, token: SignedToken, now: NumericDate) -> Result<VerifiedToken, Rejection> {
        let evidence = Evidence::Token {
            header: token.header(),
            key_issuer: token.key().issuer(),
        };
        // The screened rows run again: fetching a key takes time, and callers may skip `screen`.
        run(&self.examine(evidence, token.claims(), now), Stage::ALL)?;
        let (header, claims, key) = token.into_parts();
        let origin = Origin::Signed {
            header,
            key: *key.fingerprint(),
        };
        Ok(VerifiedToken::new(claims, origin, self.clone()))
    }

    /// The checks that time can undo, for a token that was verified before.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn recheck(token: &VerifiedToken, now: NumericDate) -> Result<(), Rejection> {
        let token = token.content();
        // Nothing but time can change: the token was signed, and its verifier is the same.
        let examination = token
            .verifier()
            .examine(evidence_of(token), token.claims(), now);
        run(&examination, &[Stage::EveryTime])
    }

    /// All checks of a token that was verified before, perhaps by another verifier of its issuer.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn verify_again(&self, token: &AccessToken, now: NumericDate) -> Result<(), Rejection> {
        let examination = self.examine(evidence_of(token), token.claims(), now);
        run(&examination, Stage::ALL)
    }

    /// All checks of what an issuer says about a token that is not a JWT.
    pub(crate) fn check_answer(&self, claims: &Claims, now: NumericDate) -> Result<(), Rejection> {
        run(&self.examine(Evidence::Answer, claims, now), Stage::ALL)
    }

    /// The checks of what an issuer says about a token that it also signed: the rest was in the
    /// token itself.
    pub(crate) fn check_confirmation(
        &self,
        claims: &Claims,
        now: NumericDate,
    ) -> Result<(), Rejection> {
        let examination = self.examine(Evidence::Confirmation, claims, now);
        run(&examination, Stage::BEFORE_SIGNATURE)
    }

    pub(super) fn examine<'x>(
        &'x self,
        evidence: Evidence<'x>,
        claims: &'x Claims,
        now: NumericDate,
    ) -> Examination<'x> {
        Examination {
            expectations: &self.0,
            evidence,
            claims,
            now,
            explains: false,
        }
    }
}

/// The evidence for a token that was verified before. Its key was checked then, and is not kept.
fn evidence_of(token: &AccessToken) -> Evidence<'_> {
    match token.header() {
        Some(header) => Evidence::Token {
            header,
            key_issuer: None,
        },
        None => Evidence::Answer,
    }
}

/// Runs the rows of these stages, up to the first that fails.
fn run(examination: &Examination<'_>, stages: &[Stage]) -> Result<(), Rejection> {
    for check in CHECKS {
        if !stages.contains(&check.stage) {
            continue;
        }
        // A refused token is not worth the time of the remaining rows.
        if let CheckResult::Fails(facts) = (check.run)(examination) {
            let rejection = Rejection::with(check.code, facts);
            return Err(match check.code {
                // The challenge has to say how such a token is proven.
                Code::ProofUnbound => rejection.demanding(examination.profile().bound),
                _ => rejection,
            });
        }
    }
    Ok(())
}
