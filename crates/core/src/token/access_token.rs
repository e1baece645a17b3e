//! A verified access token: the only form in which claims may be trusted.

use super::{ClaimPath, Claims, Identity, Issuer, NumericDate, Scopes};
use crate::jose::Header;
use crate::jose::json::{Json, Text};
use crate::proof::Confirmation;
use crate::rejection::{Code, Facts, RefusedCaller, Rejection};
use crate::verify::Verifier;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// An access token whose signature or introspection, whose claims and whose binding were verified.
/// Only [`proof::prove`](crate::proof::prove) makes one, of a [`VerifiedToken`].
///
/// It says who calls. What the caller may do is decided by
/// [`policy::permit`](crate::policy::permit). Clones share one token.
#[derive(Clone)]
pub struct AccessToken {
    verified: Arc<TokenContent>,
    /// The identity with groups that the token could not hold, once they were looked up.
    regrouped: Option<Arc<Identity>>,
}

struct TokenContent {
    claims: Claims,
    origin: Origin,
    verifier: Verifier,
    // Not every request needs it, and many requests share one token.
    /// Read once, on first use.
    identity: OnceLock<Identity>,
}

/// How the issuer vouched for the claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It signed the token.
    Signed { header: Header, key: KeyId },
    /// It answered about the token (RFC 7662).
    Introspected,
}

/// A token whose signature or introspection, and whose claims, were verified; only [`Verifier`]
/// makes one. It may be bound to a key, and nothing shows yet that the caller has that key:
/// [`proof::prove`](crate::proof::prove) makes an [`AccessToken`] of it.
#[derive(Clone)]
pub struct VerifiedToken(AccessToken);

impl VerifiedToken {
    pub(crate) fn new(claims: Claims, origin: Origin, verifier: Verifier) -> Self {
        Self(AccessToken::new(claims, origin, verifier))
    }

    /// What the token is bound to, if it is.
    ///
    /// # Errors
    ///
    /// `proof.unsupported`. A row of the table refused such a token before.
    pub fn confirmation(&self) -> Result<Option<Confirmation>, Rejection> {
        let Some(cnf) = self.0.claims().confirmation() else {
            return Ok(None);
        };
        match Confirmation::read(cnf) {
            Some(confirmation) => Ok(Some(confirmation)),
            None => Err(Rejection::new(Code::ProofUnsupported)),
        }
    }

    /// The caller, if it proves to be the one that the token is bound to.
    pub fn identity(&self) -> &Identity {
        self.0.identity()
    }

    /// The verifier that accepted the token.
    pub fn verifier(&self) -> &Verifier {
        self.0.verifier()
    }

    /// The claims. What they permit hangs on the binding.
    pub fn claims(&self) -> &Claims {
        self.0.claims()
    }

    /// The issuer.
    pub fn issuer(&self) -> &Issuer {
        self.0.issuer()
    }

    /// The key that signed; `None` if the token was introspected.
    pub fn key(&self) -> Option<&KeyId> {
        self.0.key()
    }

    /// Whether it is good only for who has a key or a certificate.
    pub fn is_bound(&self) -> bool {
        self.claims().confirmation().is_some()
    }

    /// The token as a plain bearer token, for who knows no proofs.
    ///
    /// # Errors
    ///
    /// `proof.missing`, if it is bound.
    pub fn into_bearer(self) -> Result<AccessToken, Rejection> {
        if self.confirmation()?.is_some() {
            let facts = Facts::new("a token that is not bound", "`cnf`");
            return Err(Rejection::with(Code::ProofMissing, facts));
        }
        Ok(self.0)
    }

    pub(crate) fn content(&self) -> &AccessToken {
        &self.0
    }

    pub(crate) fn into_access_token(self) -> AccessToken {
        self.0
    }
}

/// Shows the issuer only.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a verified token of {}", self.issuer())
    }
}

/// The SHA-256 over a public key: which key signed.
pub type KeyId = [u8; 32];

impl AccessToken {
    fn new(claims: Claims, origin: Origin, verifier: Verifier) -> Self {
        let identity = OnceLock::new();
        Self {
            verified: Arc::new(TokenContent {
                claims,
                origin,
                verifier,
                identity,
            }),
            regrouped: None,
        }
    }

    #[cfg(test)]
    pub(crate) fn for_test(claims: Claims, origin: Origin, verifier: Verifier) -> Self {
        Self::new(claims, origin, verifier)
    }

    /// The issuer. A subject means something only together with it.
    pub fn issuer(&self) -> &Issuer {
        self.verified.verifier.issuer()
    }

    /// The caller, in the same words for every provider.
    pub fn identity(&self) -> &Identity {
        let TokenContent {
            claims,
            verifier,
            identity,
            ..
        } = &*self.verified;
        if let Some(identity) = &self.regrouped {
            return identity;
        }
        identity.get_or_init(|| {
            let profile = verifier.profile();
            Identity::of(claims, profile.dialect, &profile.mapping)
        })
    }

    /// The same token with the groups of its caller, which it was too small to hold.
    #[must_use]
    pub fn with_groups(self, groups: Vec<Text>) -> Self {
        // Roles may come from groups, so they are mapped again.
        let mapping = &self.verified.verifier.profile().mapping;
        let identity = self
            .identity()
            .with_groups(groups, self.claims(), mapping);
        Self {
            regrouped: Some(Arc::new(identity)),
            ..self
        }
    }

    /// `sub`; absent only if the profile does not require it.
    pub fn subject(&self) -> Option<&str> {
        self.claims().subject()
    }

    /// The stable identifier of the caller: see [`Identity::subject`].
    pub fn user_id(&self) -> Option<&str> {
        self.identity().subject()
    }

    /// A name to show for the caller: `name`, `preferred_username`, the subject, or `unnamed`. It
    /// is no identifier: people choose it.
    pub fn name(&self) -> &str {
        for name in ["name", "preferred_username", "sub"] {
            if let Some(Json::String(text)) = self.claim(name)
                && !text.is_empty()
            {
                return text;
            }
        }
        "unnamed"
    }

    /// The client that the token was issued to.
    pub fn client(&self) -> Option<&str> {
        self.identity().client()
    }

    /// `jti`.
    pub fn token_id(&self) -> Option<&str> {
        self.claims().token_id()
    }

    /// `exp`; absent only where an introspection answer has none.
    pub fn expires(&self) -> Option<NumericDate> {
        self.claims().expires()
    }

    /// The scopes that were granted.
    pub fn scopes(&self) -> &Scopes {
        self.identity().scopes()
    }

    /// Whether this scope was granted.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().contains(scope)
    }

    /// Whether the caller has this role, at the place where the issuer's profile keeps roles. False
    /// if that is unknown.
    pub fn has_role(&self, role: &str) -> bool {
        self.identity().roles().holds(role) == Some(true)
    }

    /// `acr`: how the user signed in, at the place where the issuer's profile keeps it; a list
    /// holds all that the user has met. `None` if the token does not say.
    pub fn acr(&self) -> Option<impl Iterator<Item = &str>> {
        let value = self.first_value(&self.verifier().profile().mapping.acr)?;
        let texts = match value {
            Json::String(_) => std::slice::from_ref(value),
            Json::Array(texts) => texts,
            _ => return None,
        };
        Some(texts.iter().filter_map(Json::as_str))
    }

    /// `auth_time`: when the user signed in. `None` if the token does not say.
    pub fn auth_time(&self) -> Option<NumericDate> {
        self.verifier().auth_time(self.claims())
    }

    /// Any claim, by its name.
    pub fn claim(&self, name: &str) -> Option<&Json> {
        self.claims().claim(name)
    }

    /// All claims.
    pub fn claims(&self) -> &Claims {
        &self.verified.claims
    }

    /// What the token is bound to, if it is. The caller has proven that it has it.
    pub fn confirmation(&self) -> Option<Confirmation> {
        Confirmation::read(self.claims().confirmation()?)
    }

    /// The protected header; `None` if the token was introspected.
    pub fn header(&self) -> Option<&Header> {
        match &self.verified.origin {
            Origin::Signed { header, .. } => Some(header),
            Origin::Introspected => None,
        }
    }

    /// The key that signed; `None` if the token was introspected.
    pub fn key(&self) -> Option<&KeyId> {
        match &self.verified.origin {
            Origin::Signed { key, .. } => Some(key),
            Origin::Introspected => None,
        }
    }

    /// The verifier that accepted the token.
    pub fn verifier(&self) -> &Verifier {
        &self.verified.verifier
    }

    fn first_value(&self, places: &[ClaimPath]) -> Option<&Json> {
        places
            .iter()
            .find_map(|place| place.find(self.claims()))
    }
}

impl From<&VerifiedToken> for RefusedCaller {
    fn from(token: &VerifiedToken) -> Self {
        Self::from(&token.0)
    }
}

impl From<&AccessToken> for RefusedCaller {
    fn from(token: &AccessToken) -> Self {
        let identity = token.identity();
        Self {
            subject: identity.subject().map(Box::from),
            client: identity.client().map(Box::from),
            tenant: identity.tenant().map(Box::from),
            ..Self::new(token.issuer().as_str(), identity.kind().name())
        }
    }
}

/// Shows the issuer only.
impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an access token of {}", self.issuer())
    }
}

#[cfg(test)]
#[path = "access_token_tests.rs"]
mod tests;
