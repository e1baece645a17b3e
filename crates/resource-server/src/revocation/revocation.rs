//! One revocation: what it refuses, and for how long it must be remembered.

use super::mark::{RevocationMark, RevokedKind, token_id};
use super::source::{Cause, RevocationSource};
use portcullis_core::proof::Thumbprint;
use portcullis_core::token::{AccessToken, Claims, Issuer, NumericDate};
use std::cmp::Ordering;
use std::fmt;

/// A revocation of a token, of a session, of a key, or of all tokens of a subject or client that
/// were not issued later than some moment.
///
/// Revoking again only ever adds: the later moment counts, and the longer memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    pub(crate) mark: RevocationMark,
    pub(crate) term: Term,
}

/// Which tokens are refused, and for how long that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// Tokens issued at this moment or before are refused, and tokens that do not say when they
    /// were issued.
    pub(crate) since: NumericDate,
    /// After this moment every such token has ended by itself.
    pub(crate) until: NumericDate,
    /// Where it comes from, if that is known, and whether an account can be used again since then.
    /// In one, because there may be a million of them.
    pub(crate) cause: Cause,
}

/// How long a revocation is remembered where the end of the last token is unknown: 31 days, in
/// seconds.
pub const REMEMBERED_SECONDS: i64 = 31 * 86_400;

/// The longest memory of a token that nobody verified: ten years, in seconds.
///
/// Its `exp` is the word of whoever wrote it. No bound at all would let an invented token take a
/// place in memory and in the store for ever.
pub const LONGEST_UNVERIFIED_SECONDS: i64 = 3_660 * 86_400;

/// The longest leeway that the settings allow: a token can be accepted for so long after its `exp`.
const LONGEST_LEEWAY: i64 = 300;

/// Every token, no matter when it was issued.
pub(crate) const WHENEVER: NumericDate = NumericDate::from_seconds(i64::MAX);

impl Revocation {
    /// One token, by its `jti`. It is remembered until the token has ended.
    pub fn token(issuer: &Issuer, token_id: &str, expires: NumericDate) -> Self {
        // A replica with the longest leeway still accepts it this long after its end.
        let until = expires.plus(LONGEST_LEEWAY);
        Self::new(
            RevokedKind::Token,
            issuer,
            token_id,
            Term::new(WHENEVER, until),
        )
    }

    /// A verified token. `None` if it has no `jti`: then its subject, session or client can be
    /// revoked. It is remembered until the token has ended, or, where nobody said when that is, for
    /// [`REMEMBERED_SECONDS`].
    pub fn of_token(token: &AccessToken, now: NumericDate) -> Option<Self> {
        Self::of_id(token.issuer(), token.claims(), now)
    }

    /// The token that these claims name; they need not be verified. It is remembered for
    /// [`LONGEST_UNVERIFIED_SECONDS`] at most; otherwise like [`of_token`](Self::of_token).
    pub fn of_claims(issuer: &Issuer, claims: &Claims, now: NumericDate) -> Option<Self> {
        let mut revocation = Self::of_id(issuer, claims, now)?;
        let longest = now.plus(LONGEST_UNVERIFIED_SECONDS);
        revocation.term.until = revocation.term.until.min(longest);
        Some(revocation)
    }

    fn of_id(issuer: &Issuer, claims: &Claims, now: NumericDate) -> Option<Self> {
        let latest = now.plus(REMEMBERED_SECONDS);
        let expires = claims.expires().unwrap_or(latest);
        Some(Self::token(issuer, token_id(claims)?, expires))
    }

    /// All tokens of a subject, by `sub` or by
    /// [`Identity::subject`](portcullis_core::token::Identity::subject), that were issued at
    /// `since` or before, and those without `iat`. Remembered for [`REMEMBERED_SECONDS`] after
    /// `since`.
    pub fn subject(issuer: &Issuer, subject: &str, since: NumericDate) -> Self {
        Self::new(
            RevokedKind::Subject,
            issuer,
            subject,
            Term::new(since, since.plus(REMEMBERED_SECONDS)),
        )
    }

    /// All tokens of a session at the issuer, by `sid`. Remembered for [`REMEMBERED_SECONDS`] after
    /// `now`.
    pub fn session(issuer: &Issuer, session: &str, now: NumericDate) -> Self {
        let until = now.plus(REMEMBERED_SECONDS);
        Self::new(
            RevokedKind::Session,
            issuer,
            session,
            Term::new(WHENEVER, until),
        )
    }

    /// All tokens of a client, by `client_id` or `azp`, or by
    /// [`Identity::client`](portcullis_core::token::Identity::client), that were issued at `since`
    /// or before, and those without `iat`. Remembered for [`REMEMBERED_SECONDS`] after `since`.
    pub fn client(issuer: &Issuer, client: &str, since: NumericDate) -> Self {
        Self::new(
            RevokedKind::Client,
            issuer,
            client,
            Term::new(since, since.plus(REMEMBERED_SECONDS)),
        )
    }

    /// All tokens that are bound to a key or a certificate, of every issuer and no matter when
    /// issued: for a key that was stolen. The thumbprint is `cnf.jkt` or `cnf.x5t#S256` of the
    /// tokens. Remembered for [`REMEMBERED_SECONDS`] after `now`.
    ///
    /// ```
    /// use portcullis_core::proof::Thumbprint;
    /// use portcullis_core::token::NumericDate;
    /// use portcullis_resource_server::{RevokedKind, Revocation};
    ///
    /// let text = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    /// let stolen = Thumbprint::parse(text).ok_or("no thumbprint")?;
    /// let revocation = Revocation::key(&stolen, NumericDate::from_seconds(1_800_000_000));
    /// assert_eq!(revocation.kind(), RevokedKind::Key);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn key(thumbprint: &Thumbprint, now: NumericDate) -> Self {
        let until = now.plus(REMEMBERED_SECONDS);
        Self {
            mark: RevocationMark::of_key(thumbprint),
            term: Term::new(WHENEVER, until),
        }
    }

    /// An account that cannot be used: all tokens of this subject, whenever they were issued, until
    /// [`account_enabled`](Self::account_enabled) with a later moment. Remembered for
    /// [`REMEMBERED_SECONDS`] after `since`.
    pub fn account_disabled(issuer: &Issuer, subject: &str, since: NumericDate) -> Self {
        let term = Term::new(since, since.plus(REMEMBERED_SECONDS));
        let mark = RevocationMark::of(RevokedKind::Subject, issuer, subject);
        Self {
            mark: mark.with_kind(RevokedKind::Account),
            term,
        }
    }

    /// The account can be used again: this undoes
    /// [`account_disabled`](Self::account_disabled) of an earlier moment, and nothing else.
    pub fn account_enabled(issuer: &Issuer, subject: &str, since: NumericDate) -> Self {
        let mut enabled = Self::account_disabled(issuer, subject, since);
        enabled.term.cause = enabled.term.cause.lifted_if(true);
        enabled
    }

    /// All tokens of a subject who did not sign in after `since` (by `auth_time`): the person has
    /// to sign in again (RFC 9470). A token that does not say when its subject signed in is
    /// refused. Remembered for [`REMEMBERED_SECONDS`] after `since`.
    pub fn sign_in(issuer: &Issuer, subject: &str, since: NumericDate) -> Self {
        let mut revocation = Self::account_disabled(issuer, subject, since);
        revocation.mark = revocation.mark.with_kind(RevokedKind::SignIn);
        revocation
    }

    /// The same of whoever has this email address, in place of a subject.
    #[must_use]
    pub(crate) fn of_email(mut self, issuer: &Issuer, email: &str) -> Self {
        self.mark = RevocationMark::of_email(issuer, email).with_kind(self.kind());
        self
    }

    /// The same, with where it comes from: `told_at` is the moment of the event.
    #[must_use]
    pub fn caused_by(mut self, source: RevocationSource, told_at: NumericDate) -> Self {
        self.term.cause = Cause::new(source, told_at).lifted_if(self.is_lifted());
        self
    }

    /// Where it comes from, if that is known.
    pub fn source(&self) -> Option<RevocationSource> {
        self.term.cause.source()
    }

    /// When that happened, if it is known.
    pub fn told_at(&self) -> Option<NumericDate> {
        self.term.cause.told_at()
    }

    /// Whether it refuses nothing any more: an account that can be used again.
    pub fn is_lifted(&self) -> bool {
        self.term.cause.is_lifted()
    }

    /// Remembers it at least until this moment: for issuers whose tokens live longer.
    #[must_use]
    pub fn remember_until(mut self, until: NumericDate) -> Self {
        self.term.until = self.term.until.max(until);
        self
    }

    /// The kind of this revocation.
    pub fn kind(&self) -> RevokedKind {
        self.mark.kind()
    }

    /// Tokens issued at this moment or before are refused. `None` for a token, a session or a
    /// key: no matter when issued.
    pub fn since(&self) -> Option<NumericDate> {
        (self.term.since != WHENEVER).then_some(self.term.since)
    }

    /// The moment until which it is remembered.
    pub fn until(&self) -> NumericDate {
        self.term.until
    }

    /// The kind and a digest: memory and store hold them in place of the value.
    pub fn mark(&self) -> String {
        self.mark.to_string()
    }

    fn new(kind: RevokedKind, issuer: &Issuer, value: &str, term: Term) -> Self {
        Self {
            mark: RevocationMark::of(kind, issuer, value),
            term,
        }
    }
}

impl Term {
    pub(crate) fn new(since: NumericDate, until: NumericDate) -> Self {
        Self {
            since,
            until,
            cause: Cause::UNKNOWN,
        }
    }

    /// Both together: everything that either refuses, for as long as either is remembered.
    pub(super) fn join(self, other: Self) -> Self {
        // A maximum of each: in any order, and any number of times, the result is the same. So
        // replicas agree without agreeing on an order.
        Self {
            since: self.since.max(other.since),
            until: self.until.max(other.until),
            cause: self
                .cause
                .latest(other.cause)
                .lifted_if(self.is_lifted_beside(other)),
        }
    }

    /// Whether an account can be used by what was said last. Of the same moment, the safe one
    /// counts.
    fn is_lifted_beside(self, other: Self) -> bool {
        match self.since.cmp(&other.since) {
            Ordering::Less => other.cause.is_lifted(),
            Ordering::Equal => self.cause.is_lifted() && other.cause.is_lifted(),
            Ordering::Greater => self.cause.is_lifted(),
        }
    }

    /// Whether a token with this moment is refused: of its issue, or of the sign-in.
    pub(super) fn refuses(self, issued_at: Option<NumericDate>) -> bool {
        match issued_at {
            // `iat` mostly has whole seconds: a token of the same second may be older than the
            // revocation.
            Some(issued_at) => issued_at <= self.since,
            // It may have been issued before: the safe answer is to refuse it.
            None => true,
        }
    }
}

/// Shows the mark and the term.
impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} until {}", self.mark, self.term.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> NumericDate {
        NumericDate::from_seconds(seconds)
    }

    #[test]
    fn each_kind_has_its_term() {
        let issuer = Issuer::parse("https://idp.example").unwrap();
        let token = Revocation::token(&issuer, "id", at(1_000));
        assert_eq!(
            (token.kind(), token.since(), token.until()),
            (RevokedKind::Token, None, at(1_300))
        );
        let subject = Revocation::subject(&issuer, "alice", at(1_000));
        assert_eq!(
            (subject.since(), subject.until()),
            (Some(at(1_000)), at(1_000 + REMEMBERED_SECONDS))
        );
        assert_eq!(
            subject.remember_until(at(5)).until(),
            subject.until(),
            "it is never shortened"
        );
        assert_eq!(Revocation::session(&issuer, "s", at(1_000)).since(), None);
        assert_eq!(
            Revocation::client(&issuer, "c", at(1_000)).kind(),
            RevokedKind::Client
        );
        assert!(!format!("{subject:?}").contains("alice"));
    }

    #[test]
    fn a_term_refuses_what_was_not_issued_later() {
        let term = Term::new(at(100), at(200));
        assert!(term.refuses(Some(at(100))) && term.refuses(Some(at(0))) && term.refuses(None));
        assert!(!term.refuses(Some(at(101))));
        let earlier = Term::new(at(50), at(300));
        assert_eq!(term.join(earlier), earlier.join(term));
        assert_eq!(term.join(earlier), Term::new(at(100), at(300)));
    }

    #[test]
    fn an_account_is_as_it_was_said_last() {
        let issuer = Issuer::parse("https://idp.example").unwrap();
        let disabled = |since| Revocation::account_disabled(&issuer, "alice", at(since)).term;
        let enabled = |since| Revocation::account_enabled(&issuer, "alice", at(since)).term;
        for (first, second, lifted) in [
            (disabled(100), enabled(200), true),
            (disabled(200), enabled(100), false),
            // Of one moment, the safe one counts.
            (disabled(100), enabled(100), false),
            (disabled(100), disabled(200), false),
        ] {
            assert_eq!(first.join(second).cause.is_lifted(), lifted);
            assert_eq!(first.join(second), second.join(first));
            assert_eq!(first.join(second).join(second), first.join(second));
        }
    }
}
