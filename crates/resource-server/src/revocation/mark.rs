//! The mark of a revoked token, subject, session or client: its kind, and a digest of the issuer
//! and the value.
//!
//! The same value has the same mark in every replica, so that any of them can restore what a store
//! lost; and neither memory nor store holds names of users. A mark does not hide a value from an
//! attacker who can guess it.

use aws_lc_rs::digest;
use portcullis_core::proof::{Confirmation, Thumbprint};
use portcullis_core::token::{AccessToken, Claims, Identity, Issuer, NumericDate, VerifiedToken};
use portcullis_core::verify::Verifier;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The kind of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevokedKind {
    /// One token, by its `jti`, or by the `uti` of Entra ID where there is no `jti`.
    Token,
    /// The tokens of a subject up to a moment.
    Subject,
    /// The tokens of a session at the issuer (`sid`).
    Session,
    /// The tokens of a client up to a moment.
    Client,
    /// The tokens that are bound to a key (`cnf.jkt`) or a certificate (`cnf.x5t#S256`), of
    /// whatever issuer.
    Key,
    /// The tokens of a subject whose account is disabled, whenever they were issued.
    Account,
    /// The tokens of a subject who has to sign in again.
    SignIn,
}

impl RevokedKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Token,
        Self::Subject,
        Self::Session,
        Self::Client,
        Self::Key,
        Self::Account,
        Self::SignIn,
    ];

    /// The kind in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Subject => "subject",
            Self::Session => "session",
            Self::Client => "client",
            Self::Key => "key",
            Self::Account => "account",
            Self::SignIn => "sign-in",
        }
    }

    /// The words of the operator's log for a token that is refused for it.
    pub(super) const fn found(self) -> &'static str {
        match self {
            Self::Token => "the token itself was revoked",
            Self::Subject => "its subject was revoked, and it was not issued later",
            Self::Session => "its session was revoked",
            Self::Client => "its client was revoked, and it was not issued later",
            Self::Key => "the key or certificate that it is bound to was revoked",
            Self::Account => "the account of its subject is disabled",
            Self::SignIn => "its subject has to sign in again, and did not since",
        }
    }
}

impl fmt::Display for RevokedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A kind, and 120 bits of a SHA-256. Finding a value with the mark of another takes 2^120
/// attempts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RevocationMark {
    kind: RevokedKind,
    digest: [u8; DIGEST],
}

const DIGEST: usize = 15;

impl RevocationMark {
    pub(crate) fn of(kind: RevokedKind, issuer: &Issuer, value: &str) -> Self {
        // The lengths keep the end of an issuer apart from the beginning of a value.
        let text = format!(
            "{kind} {} {}{value}",
            issuer.as_str().len(),
            issuer.as_str()
        );
        Self::of_text(kind, &text)
    }

    /// The mark of a subject by its email address. Nobody's `sub` has the same one.
    pub(crate) fn of_email(issuer: &Issuer, email: &str) -> Self {
        let kind = RevokedKind::Subject;
        // Providers write the same address with capitals here and without them there.
        let email = email.to_lowercase();
        let (length, issuer) = (issuer.as_str().len(), issuer.as_str());
        Self::of_text(kind, &format!("{kind} email {length} {issuer}{email}"))
    }

    /// The mark of a key. It names no issuer: a stolen key is stolen wherever tokens are bound to
    /// it.
    pub(crate) fn of_key(thumbprint: &Thumbprint) -> Self {
        let kind = RevokedKind::Key;
        Self::of_text(kind, &format!("{kind} {thumbprint}"))
    }

    /// The mark of the same value with another kind: one digest serves all kinds of a subject.
    pub(super) fn with_kind(self, kind: RevokedKind) -> Self {
        Self { kind, ..self }
    }

    fn of_text(kind: RevokedKind, text: &str) -> Self {
        let whole = digest::digest(&digest::SHA256, text.as_bytes());
        Self {
            kind,
            digest: whole
                .as_ref()
                .first_chunk()
                .copied()
                .unwrap_or_default(),
        }
    }

    pub(crate) fn kind(&self) -> RevokedKind {
        self.kind
    }

    /// Any eight bits of it.
    pub(super) fn byte(&self) -> u8 {
        self.digest.last().copied().unwrap_or_default()
    }

    /// Reads `subject:` and 30 lower-case hexadecimal digits.
    #[cfg(any(feature = "redis", test))]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, digits) = text.split_once(':')?;
        let is_named = |known: &&RevokedKind| known.as_str() == kind;
        let kind = *RevokedKind::ALL.iter().find(is_named)?;
        // Strictly: `from_str_radix` alone would take a sign, and capitals would be a second
        // spelling.
        let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != 2 * DIGEST || !digits.bytes().all(is_digit) {
            return None;
        }
        let mut digest = [0; DIGEST];
        for (index, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(Self { kind, digest })
    }
}

impl fmt::Display for RevocationMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.kind)?;
        for byte in self.digest {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RevocationMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The marks under which one token could be revoked.
type Marks = [Option<RevocationMark>; 15];

/// A token that could be revoked.
#[derive(Clone, Copy)]
pub(crate) enum Revocable<'x> {
    Verified(&'x VerifiedToken),
    /// For a connection that outlives its first request.
    Proven(&'x AccessToken),
    /// For explaining: nothing of it is proven.
    Unverified(&'x Verifier, &'x Claims),
}

impl Revocable<'_> {
    fn issued_at(self) -> Option<NumericDate> {
        match self {
            Self::Verified(token) => token.claims().issued_at(),
            Self::Proven(token) => token.claims().issued_at(),
            Self::Unverified(_, claims) => claims.issued_at(),
        }
    }

    /// The moment that counts for this kind of revocation.
    pub(super) fn moment(self, kind: RevokedKind) -> Option<NumericDate> {
        match kind {
            RevokedKind::SignIn => self.signed_in_at(),
            _ => self.issued_at(),
        }
    }

    fn signed_in_at(self) -> Option<NumericDate> {
        match self {
            Self::Verified(token) => token.verifier().auth_time(token.claims()),
            Self::Proven(token) => token.auth_time(),
            Self::Unverified(verifier, claims) => verifier.auth_time(claims),
        }
    }

    fn marks(self) -> Marks {
        match self {
            Self::Verified(token) => marks(token.verifier(), token.claims(), token.identity()),
            Self::Proven(token) => marks(token.verifier(), token.claims(), token.identity()),
            Self::Unverified(verifier, claims) => {
                marks(verifier, claims, &verifier.unverified_identity(claims))
            }
        }
    }
}

/// A token's standing with the denylist: its marks, and up to which change of the list it is known
/// to be clear.
#[derive(Default)]
pub(crate) struct Standing {
    /// Boxed, because most tokens never need them.
    marks: OnceLock<Box<Marks>>,
    clear_at: AtomicU64,
}

impl Standing {
    /// The marks, computed once, and only where something was ever revoked.
    pub(super) fn marks(&self, token: Revocable<'_>) -> impl Iterator<Item = &RevocationMark> {
        let marks = self.marks.get_or_init(|| Box::new(token.marks()));
        marks.iter().flatten()
    }

    pub(super) fn is_clear_at(&self, change: u64) -> bool {
        // Relaxed: the number was read from the list with Acquire, and nothing else depends on it.
        self.clear_at.load(Ordering::Relaxed) == change
    }

    pub(super) fn clear(&self, change: u64) {
        self.clear_at.store(change, Ordering::Relaxed);
    }
}

/// A subject and a client have two marks: as the token names them, and as [`Identity`] does. An
/// operator may know either name. A subject whose address is known has one more.
fn marks(verifier: &Verifier, claims: &Claims, identity: &Identity) -> Marks {
    let issuer = verifier.issuer();
    let mark = |kind, value: Option<&str>| Some(RevocationMark::of(kind, issuer, value?));
    let (subject, client) = (claims.subject(), claims.client());
    let own_subject = unless_same(identity.subject(), subject);
    let own_client = unless_same(identity.client(), client);
    let bound_to = claims.confirmation().and_then(Confirmation::read);
    let (key, certificate) = match bound_to {
        Some(bound_to) => (bound_to.key, bound_to.certificate),
        None => (None, None),
    };
    let key_mark = |thumbprint: Option<Thumbprint>| Some(RevocationMark::of_key(&thumbprint?));
    let subject = mark(RevokedKind::Subject, subject);
    let own_subject = mark(RevokedKind::Subject, own_subject);
    let email = verifier.email(claims).filter(|it| !it.is_empty());
    let email = email.map(|it| RevocationMark::of_email(issuer, it));
    let of_kind = |kind, mark: Option<RevocationMark>| Some(mark?.with_kind(kind));
    [
        mark(RevokedKind::Token, token_id(claims)),
        subject,
        own_subject,
        of_kind(RevokedKind::Account, subject),
        of_kind(RevokedKind::Account, own_subject),
        of_kind(RevokedKind::SignIn, subject),
        of_kind(RevokedKind::SignIn, own_subject),
        email,
        of_kind(RevokedKind::Account, email),
        of_kind(RevokedKind::SignIn, email),
        mark(RevokedKind::Session, text(claims, "sid")),
        mark(RevokedKind::Client, client),
        mark(RevokedKind::Client, own_client),
        key_mark(key),
        key_mark(certificate),
    ]
}

/// A mark costs a hash and a lookup: the same value needs one only.
fn unless_same<'x>(value: Option<&'x str>, other: Option<&str>) -> Option<&'x str> {
    if value == other { None } else { value }
}

/// `jti`, or else the claim that Entra ID has in its place.
pub(super) fn token_id(claims: &Claims) -> Option<&str> {
    claims.token_id().or_else(|| text(claims, "uti"))
}

fn text<'x>(claims: &'x Claims, name: &str) -> Option<&'x str> {
    let text = claims.claim(name)?.as_str()?;
    // An empty value would stand for every token with an empty value.
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text).unwrap()
    }

    #[test]
    fn marks_differ_by_kind_issuer_and_value_and_read_back() {
        let (a, b) = (issuer("https://a.example"), issuer("https://a.example/b"));
        let all = [
            RevocationMark::of(RevokedKind::Subject, &a, "/balice"),
            RevocationMark::of(RevokedKind::Subject, &b, "alice"),
            RevocationMark::of(RevokedKind::Session, &b, "alice"),
            RevocationMark::of(RevokedKind::Subject, &b, "alic"),
            RevocationMark::of_email(&b, "alice"),
        ];
        for (index, mark) in all.iter().enumerate() {
            assert_eq!(RevocationMark::parse(&mark.to_string()), Some(*mark));
            assert!(all.iter().skip(index + 1).all(|other| other != mark));
        }
    }

    /// Replicas of different versions must agree: a mark never changes.
    #[test]
    fn a_mark_is_the_same_in_every_replica() {
        let mark = RevocationMark::of(
            RevokedKind::Subject,
            &issuer("https://idp.example"),
            "alice",
        );
        assert_eq!(mark.to_string(), "subject:bf32b0dad5d0bff788a78c53f84292");
        let key = RevocationMark::of_key(&Thumbprint::from_bytes([7; 32]));
        assert_eq!(key.to_string(), "key:cda881d2482afe333a09e8a28095b8");
        assert_eq!(RevocationMark::parse(&key.to_string()), Some(key));
        let email = |address| RevocationMark::of_email(&issuer("https://idp.example"), address);
        assert_eq!(email("Alice@Example.COM"), email("alice@example.com"));
        let mark = email("alice@example.com").to_string();
        assert_eq!(mark, "subject:bd85faf0ab9041a90c1d6b80c4796e");
    }

    #[test]
    fn what_is_no_mark_is_not_read() {
        let good =
            RevocationMark::of(RevokedKind::Token, &issuer("https://a.example"), "x").to_string();
        let upper = good.to_uppercase();
        for text in [
            "",
            "token",
            "token:",
            "token:00",
            &upper,
            &format!("{good}0"),
            &good.replace("token", "user"),
        ] {
            assert_eq!(RevocationMark::parse(text), None, "{text}");
        }
        assert_eq!(
            RevocationMark::parse(&format!("token:{}", "é".repeat(15))),
            None
        );
    }
}
