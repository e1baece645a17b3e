//! A sign-in between the authorization request and the tokens.

use super::callback::Callback;
use crate::client::Client;
use crate::error::Error;
use crate::id_token::IdTokenCriteria;
use crate::random::unguessable;
use crate::request::TokenRequest;
use crate::token::TokenResponse;
use aws_lc_rs::digest::{SHA256, digest};
use portcullis_core::jose::base64url;
use portcullis_provider::client_auth::Secret;
use std::fmt;
use std::time::Duration;
use url::Url;

/// The secrets of one flow.
pub(super) struct Secrets {
    pub(super) redirect_uri: String,
    pub(super) state: Secret,
    verifier: Secret,
    pub(super) nonce: Option<Secret>,
}

impl Secrets {
    pub(super) fn new(redirect_uri: &str, with_nonce: bool) -> Result<Self, Error> {
        let nonce = if with_nonce {
            Some(Secret::new(unguessable()?))
        } else {
            None
        };
        Ok(Self {
            redirect_uri: redirect_uri.to_owned(),
            state: Secret::new(unguessable()?),
            verifier: Secret::new(unguessable()?),
            nonce,
        })
    }

    /// The code challenge (RFC 7636, section 4.2).
    pub(super) fn challenge(&self) -> String {
        base64url::encode(digest(&SHA256, self.verifier.expose().as_bytes()).as_ref())
    }
}

/// A sign-in that waits for its callback. It ends with the first one.
#[must_use]
pub struct CodeFlow {
    pub(super) client: Client,
    pub(super) request: TokenRequest,
    pub(super) max_age: Option<Duration>,
    pub(super) secrets: Secrets,
    pub(super) url: Url,
    pub(super) pkce_is_confirmed: bool,
}

impl CodeFlow {
    /// The address to open in a browser.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address to which the browser returns.
    pub fn redirect_uri(&self) -> &str {
        &self.secrets.redirect_uri
    }

    /// Whether the provider is known to check PKCE. If it does not, a stolen code may be usable.
    pub fn pkce_is_confirmed(&self) -> bool {
        self.pkce_is_confirmed
    }

    /// Whether a callback belongs to this flow, by its `state`. Nothing else is checked.
    pub fn expects(&self, query: &str) -> bool {
        match Callback::parse(query) {
            Ok(callback) => callback.is_of(&self.secrets.state),
            Err(_) => false,
        }
    }

    /// Ends the flow with the callback: the query of the address, without the `?`.
    ///
    /// # Errors
    ///
    /// A callback of another flow or another provider, the provider's refusal (`access_denied` if
    /// the person refused), an ID token that is missing or invalid, or an outage.
    pub async fn finish(self, query: &str) -> Result<TokenResponse, Error> {
        let callback = Callback::parse(query)?;
        // RFC 6749, section 10.12: without this check an attacker's code could sign the person in
        // as the attacker (cross-site request forgery).
        if !callback.is_of(&self.secrets.state) {
            return Err(Error::untrusted_response(
                "the callback belongs to another flow: its `state` is not the one that was sent",
            ));
        }
        let metadata = self.client.provider().metadata().await?;
        let code = callback.code(metadata.issuer(), metadata.sends_issuer_in_callbacks())?;
        self.redeem(&code).await
    }

    async fn redeem(&self, code: &Secret) -> Result<TokenResponse, Error> {
        let mut members = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", &self.secrets.redirect_uri),
            ("code_verifier", self.secrets.verifier.expose()),
        ];
        // The authorization request fixed the scope. The token request can only narrow the APIs
        // (RFC 8707, section 2.2).
        members.extend(self.request.resources());
        let response = self
            .client
            .request_form(&members, &self.request)
            .await?;
        let nonce = self.secrets.nonce.as_ref().map(Secret::expose);
        // An attacker who can drop the ID token must not be able to skip the nonce check with it.
        if nonce.is_some() && response.id_token.is_none() {
            return Err(Error::malformed_response(
                "an ID token was requested, and the response holds none",
            ));
        }
        let criteria = IdTokenCriteria {
            nonce,
            max_age: self.max_age,
            ..IdTokenCriteria::default()
        };
        self.client.verify_response(response, criteria).await
    }
}

/// Shows only the client: the address holds the state and the nonce.
impl fmt::Debug for CodeFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a sign-in for {:?}", self.client)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("secrets of a flow")
    }
}
