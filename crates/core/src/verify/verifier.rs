//! Runs the table against one token.

use super::checks::{CHECKS, Check, Stage};
use super::{Profile, TokenType};
use crate::jose::{Header, SignedToken, UnverifiedToken};
use crate::rejection::{Facts, Rejection};
use crate::token::{AccessToken, Audiences, Claims, Issuer, NumericDate};
use std::sync::Arc;

/// Judges the tokens of one issuer for one resource server. Clones share one set of expectations.
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Expectations>);

#[derive(Debug)]
struct Expectations {
    issuer: Issuer,
    audiences: Audiences,
    profile: Profile,
}

impl Verifier {
    /// A verifier for the tokens of `issuer` that are meant for one of `audiences`.
    pub fn new(issuer: Issuer, audiences: Audiences, profile: Profile) -> Self {
        Self(Arc::new(Expectations { issuer, audiences, profile }))
    }

    /// The issuer whose tokens are judged.
    pub fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// Our own audiences.
    pub fn audiences(&self) -> &Audiences {
        &self.0.audiences
    }

    /// What the tokens must look like.
    pub fn profile(&self) -> &Profile {
        &self.0.profile
    }

    /// The checks that need no key, so that junk never causes a fetch. It proves nothing.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn screen(&self, token: &UnverifiedToken<'_>, now: NumericDate) -> Result<(), Rejection> {
        let examination = self.examine(token.header(), token.unverified_claims(), now);
        examination.run(|check| check.stage != Stage::AfterSignature)
    }

    /// All checks of a token whose signature was proven.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn verify(&self, token: SignedToken, now: NumericDate) -> Result<AccessToken, Rejection> {
        self.examine(token.header(), token.claims(), now).run(|_| true)?;
        let (header, claims, key) = token.into_parts();
        Ok(AccessToken::new(claims, header, key, self.clone()))
    }

    /// The checks that time can undo, for a token that was verified before.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn recheck(token: &AccessToken, now: NumericDate) -> Result<(), Rejection> {
        token
            .verifier()
            .examine(token.header(), token.claims(), now)
            .run(|check| check.stage == Stage::EveryTime)
    }

    pub(super) fn examine<'x>(
        &'x self,
        header: &'x Header,
        claims: &'x Claims,
        now: NumericDate,
    ) -> Examination<'x> {
        Examination { verifier: self, header, claims, now }
    }
}

/// One token before one verifier at one moment.
#[derive(Debug)]
pub(super) struct Examination<'x> {
    pub(super) verifier: &'x Verifier,
    pub(super) header: &'x Header,
    pub(super) claims: &'x Claims,
    pub(super) now: NumericDate,
}

impl<'x> Examination<'x> {
    fn run(&self, due: impl Fn(&Check) -> bool) -> Result<(), Rejection> {
        match CHECKS.iter().filter(|check| due(check)).find(|check| (check.result)(self) == Some(false)) {
            None => Ok(()),
            Some(failed) => {
                let facts = Facts::new((failed.expected)(self), (failed.found)(self));
                Err(Rejection::with(failed.code, facts))
            }
        }
    }

    pub(super) fn profile(&self) -> &'x Profile {
        self.verifier.profile()
    }

    pub(super) fn token_type(&self) -> Option<TokenType> {
        TokenType::of_header(self.header.typ.as_deref())
    }

    pub(super) fn required_claims(&self) -> impl Iterator<Item = &'x str> {
        let others = self.profile().required_claims.iter().map(|name| &**name);
        ["iss", "aud", "exp"].into_iter().chain(others)
    }

    pub(super) fn first_missing_claim(&self) -> Option<&'x str> {
        self.required_claims().find(|name| !self.claims.has(name))
    }

    /// Whether a moment lies in the past, or in the future by no more than the leeway.
    pub(super) fn has_come(&self, moment: NumericDate) -> bool {
        moment <= self.now.plus(self.profile().leeway_seconds())
    }
}
