//! A verified access token: the only form in which claims may be trusted.

use super::{Claims, Identity, Issuer, NumericDate, Scopes};
use crate::jose::Header;
use crate::jose::json::{Json, Text};
use crate::verify::Verifier;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// An access token whose signature or introspection, and whose claims, were verified. Only
/// [`Verifier`] makes one.
///
/// It says who calls, not yet what they may do: that is for
/// [`policy::permit`](crate::policy::permit). Clones share one token.
#[derive(Clone)]
pub struct AccessToken {
    verified: Arc<Verified>,
    /// The caller with groups that the token could not hold.
    regrouped: Option<Arc<Identity>>,
}

struct Verified {
    claims: Claims,
    origin: Origin,
    verifier: Verifier,
    /// Read once, when it is first asked for.
    identity: OnceLock<Identity>,
}

/// How we know that the issuer said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It signed it.
    Signed { header: Header, key: KeyId },
    /// We asked it (RFC 7662).
    Introspected,
}

/// The SHA-256 over a public key: which key signed.
pub type KeyId = [u8; 32];

impl AccessToken {
    pub(crate) fn new(claims: Claims, origin: Origin, verifier: Verifier) -> Self {
        let identity = OnceLock::new();
        Self {
            verified: Arc::new(Verified {
                claims,
                origin,
                verifier,
                identity,
            }),
            regrouped: None,
        }
    }

    /// The issuer. A subject means something only together with it.
    pub fn issuer(&self) -> &Issuer {
        self.verified.verifier.issuer()
    }

    /// Who calls, in our words, whichever provider wrote the token.
    pub fn identity(&self) -> &Identity {
        let Verified {
            claims,
            verifier,
            identity,
            ..
        } = &*self.verified;
        match &self.regrouped {
            Some(identity) => identity,
            None => identity.get_or_init(|| {
                let profile = verifier.profile();
                Identity::of(claims, profile.dialect, &profile.mapping)
            }),
        }
    }

    /// The same token with the groups of its caller, which it was too small to hold.
    #[must_use]
    pub fn with_groups(self, groups: Vec<Text>) -> Self {
        let mapping = &self.verified.verifier.profile().mapping;
        let identity = self.identity().with_groups(groups, self.claims(), mapping);
        Self {
            regrouped: Some(Arc::new(identity)),
            ..self
        }
    }

    /// `sub`, where the profile does not require it maybe absent.
    pub fn subject(&self) -> Option<&str> {
        self.claims().subject()
    }

    /// The stable identifier of the caller, where the issuer's tokens keep it: see
    /// [`Identity::subject`].
    pub fn user_id(&self) -> Option<&str> {
        self.identity().subject()
    }

    /// What to call the caller: `name`, `preferred_username`, the subject, or `unnamed`. Not an
    /// identifier.
    pub fn name(&self) -> &str {
        let names = ["name", "preferred_username", "sub"];
        names
            .into_iter()
            .find_map(|name| self.text(name))
            .unwrap_or("unnamed")
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
    /// where nobody can tell.
    pub fn has_role(&self, role: &str) -> bool {
        self.identity().roles().holds(role) == Some(true)
    }

    /// `acr`: how the user signed in, at the place where the issuer's profile keeps it; a list
    /// holds all that the user has met. `None` where the token does not say.
    pub fn acr(&self) -> Option<impl Iterator<Item = &str>> {
        let places = &self.verified.verifier.profile().mapping.acr;
        let value = places.iter().find_map(|place| place.find(self.claims()))?;
        let texts = match value {
            Json::String(_) => std::slice::from_ref(value),
            Json::Array(texts) => texts,
            _ => return None,
        };
        Some(texts.iter().filter_map(Json::as_str))
    }

    /// `auth_time`: when the user signed in. `None` where the token does not say.
    pub fn auth_time(&self) -> Option<NumericDate> {
        let places = &self.verified.verifier.profile().mapping.auth_time;
        NumericDate::from_json(places.iter().find_map(|place| place.find(self.claims()))?)
    }

    /// Any claim, by its name.
    pub fn claim(&self, name: &str) -> Option<&Json> {
        self.claims().claim(name)
    }

    /// All claims.
    pub fn claims(&self) -> &Claims {
        &self.verified.claims
    }

    /// The protected header; none of a token that was introspected.
    pub fn header(&self) -> Option<&Header> {
        match &self.verified.origin {
            Origin::Signed { header, .. } => Some(header),
            Origin::Introspected => None,
        }
    }

    /// The key that signed; none of a token that was introspected.
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
