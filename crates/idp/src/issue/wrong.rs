//! Tokens that are wrong on purpose.

use crate::dialect::shape::ExtraKey;
use crate::fault::flaw::Flaw;
use crate::issue::builder::{Edit, TokenBuilder};
use crate::issue::signer::Signer;
use crate::keys::signing_key::IssuerKey;
use std::sync::Arc;

impl TokenBuilder {
    /// Bad: it expired an hour ago.
    pub fn expire(mut self) -> Self {
        let now = self.state.now();
        // Issued before it expired, so that nothing but `exp` is wrong.
        self.facts.issued_at = now.saturating_sub(7_200);
        self.facts.expires = now.saturating_sub(3_600);
        self
    }

    /// Bad: it is valid in an hour.
    pub fn not_yet_valid(mut self) -> Self {
        let nbf = self.state.now() + 3_600;
        // A token that ends before it begins would be wrong twice.
        self.facts.expires = nbf + 3_600;
        self.claim("nbf", nbf)
    }

    /// Bad: somebody else issued it.
    pub fn issuer(self, issuer: &str) -> Self {
        self.claim("iss", issuer)
    }

    /// Bad: it names a key that is not there.
    pub fn kid(self, kid: &str) -> Self {
        self.header("kid", kid)
    }

    /// Bad: another key signed it, under the right name.
    pub async fn wrong_key(mut self) -> Self {
        // The `kid` stays: a validator finds the right key, and the signature does not match.
        self.key = IssuerKey::generate(self.key.algorithm, String::new()).await;
        self
    }

    /// Bad: a key signed it that is published, but for another tenant alone (Entra ID, in the key
    /// set for every tenant). Where there is no such key, as [`wrong_key`](Self::wrong_key).
    pub async fn key_of_another_tenant(mut self) -> Self {
        match self.state.keys.beside_for(ExtraKey::OtherTenant) {
            Some(key) => {
                self.kid.clone_from(&key.kid);
                self.key = key;
                self
            }
            None => self.wrong_key().await,
        }
    }

    /// Bad: it is not signed at all, and says so (`alg` `none`).
    pub fn alg_none(mut self) -> Self {
        self.signer = Signer::None;
        self.header("alg", "none")
    }

    /// With the flaws that were ordered for tokens of its kind.
    pub(crate) fn with_ordered_flaws(self) -> Self {
        let flaws = self.state.flaws.take(self.kind);
        flaws.into_iter().fold(self, Self::add_flaw)
    }

    pub(crate) fn add_flaw(mut self, flaw: Flaw) -> Self {
        self.flaws.push(flaw.label());
        match flaw {
            Flaw::Claim(name, value) => self.claim(&name, value),
            Flaw::NoClaim(name) => self.without(&name),
            Flaw::Header(name, value) => self.header(&name, value),
            Flaw::NoHeader(name) => {
                self.edits.push(Edit::NoHeader(name));
                self
            }
            Flaw::Expired => self.expire(),
            Flaw::NotYetValid => self.not_yet_valid(),
            Flaw::WrongKey => {
                // Blocks for a moment, which a flow with an ordered flaw can afford.
                self.key = Arc::new(IssuerKey::generate_now(self.key.algorithm, String::new()));
                self
            }
            Flaw::Unsigned => self.alg_none(),
            Flaw::HmacWithPublicKey => self.hmac_with_public_key(),
            Flaw::SignatureFlipped => self.signature_flipped(),
            Flaw::WrongAudience => self.audience("api://somebody-else"),
            Flaw::WrongIssuer => self.issuer("https://somebody-else.example"),
            Flaw::UnknownKey => self.kid("unknown"),
            // The others are of logout tokens and events.
            _ => self,
        }
    }

    /// Tells the console what is wrong with this token.
    pub(crate) fn remember_flaws(&self, token: &str) {
        // Most tokens are sound, and need no entry in the store.
        if !self.flaws.is_empty() {
            let now = self.state.now();
            self.state
                .store()
                .add_flaws(token, self.flaws.join(", "), now);
        }
    }

    /// Bad: the public key was taken for an HMAC secret.
    pub fn hmac_with_public_key(mut self) -> Self {
        self.signer = Signer::HmacWithPublicKey;
        self.header("alg", "HS256")
    }

    /// Bad: one bit of the signature is wrong.
    pub fn signature_flipped(mut self) -> Self {
        self.signer = Signer::Flipped;
        self
    }
}
