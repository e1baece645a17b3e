//! A verified access token: the only form in which claims may be trusted.

use super::{Claims, Issuer, NumericDate, Scopes};
use crate::jose::Header;
use crate::jose::json::Json;
use crate::verify::Verifier;
use std::fmt;
use std::sync::Arc;

/// An access token whose signature and claims were verified. Only [`Verifier::verify`] makes one.
///
/// It says who calls, not yet what they may do: that is for [`policy::permit`](crate::policy::permit).
/// Clones share one token.
#[derive(Clone)]
pub struct AccessToken(Arc<Verified>);

struct Verified {
    claims: Claims,
    header: Header,
    key: KeyId,
    verifier: Verifier,
}

/// The SHA-256 over a public key: which key signed.
pub type KeyId = [u8; 32];

impl AccessToken {
    pub(crate) fn new(claims: Claims, header: Header, key: KeyId, verifier: Verifier) -> Self {
        Self(Arc::new(Verified { claims, header, key, verifier }))
    }

    /// The issuer. A subject means something only together with it.
    pub fn issuer(&self) -> &Issuer {
        self.0.verifier.issuer()
    }

    /// `sub`, where the profile does not require it maybe absent.
    pub fn subject(&self) -> Option<&str> {
        self.0.claims.subject()
    }

    /// The stable identifier of the caller: `oid` (Entra ID), else `sub`.
    pub fn user_id(&self) -> Option<&str> {
        self.text("oid").or_else(|| self.subject())
    }

    /// What to call the caller: `name`, `preferred_username`, the subject, or `unnamed`. Not an identifier.
    pub fn name(&self) -> &str {
        let names = ["name", "preferred_username", "sub"];
        names.into_iter().find_map(|name| self.text(name)).unwrap_or("unnamed")
    }

    /// The client that the token was issued to.
    pub fn client(&self) -> Option<&str> {
        self.0.claims.client()
    }

    /// `jti`.
    pub fn token_id(&self) -> Option<&str> {
        self.0.claims.token_id()
    }

    /// `exp`.
    pub fn expires(&self) -> Option<NumericDate> {
        self.0.claims.expires()
    }

    /// The scopes that were granted.
    pub fn scopes(&self) -> Scopes {
        self.0.claims.scopes()
    }

    /// Whether this scope was granted.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.claims.has_scope(scope)
    }

    /// Whether the caller has this role, at the place where the issuer's profile keeps roles.
    pub fn has_role(&self, role: &str) -> bool {
        self.0.verifier.profile().roles.iter().any(|path| path.holds_text(&self.0.claims, role))
    }

    /// Any claim, by its name.
    pub fn claim(&self, name: &str) -> Option<&Json> {
        self.0.claims.claim(name)
    }

    /// All claims.
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// The protected header.
    pub fn header(&self) -> &Header {
        &self.0.header
    }

    /// The key that signed.
    pub fn key(&self) -> &KeyId {
        &self.0.key
    }

    /// The verifier that accepted the token.
    pub fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claim(name)?.as_str().filter(|text| !text.is_empty())
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
