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

/// What only this flow knows.
pub(super) struct Secrets {
    pub(super) redirect_uri: String,
    pub(super) state: Secret,
    verifier: Secret,
    pub(super) nonce: Option<Secret>,
}

impl Secrets {
    pub(super) fn new(redirect_uri: &str, with_nonce: bool) -> Result<Self, Error> {
        let secret = || unguessable().map(Secret::new);
        Ok(Self {
            redirect_uri: redirect_uri.to_owned(),
            state: secret()?,
            verifier: secret()?,
            nonce: with_nonce.then(secret).transpose()?,
        })
    }

    /// RFC 7636, section 4.2.
    pub(super) fn challenge(&self) -> String {
        base64url::encode(digest(&SHA256, self.verifier.expose().as_bytes()).as_ref())
    }
}

/// A sign-in that has begun. It ends with one callback.
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

    /// Where the browser comes back to.
    pub fn redirect_uri(&self) -> &str {
        &self.secrets.redirect_uri
    }

    /// Whether the provider is known to check PKCE. Where it is not, whoever steals the code may be
    /// able to use it.
    pub fn pkce_is_confirmed(&self) -> bool {
        self.pkce_is_confirmed
    }

    /// Whether a callback belongs to this flow, by its `state`. It says nothing else about it.
    pub fn expects(&self, query: &str) -> bool {
        Callback::parse(query).is_ok_and(|callback| callback.is_of(&self.secrets.state))
    }

    /// Ends the flow with what the browser brought back: the query of the address, without the `?`.
    ///
    /// # Errors
    ///
    /// A callback of another flow or another provider, the provider's refusal (`access_denied`
    /// where the person said no), an ID token that does not fit or is missing, or an outage.
    pub async fn finish(self, query: &str) -> Result<TokenResponse, Error> {
        let callback = Callback::parse(query)?;
        if !callback.is_of(&self.secrets.state) {
            return Err(Error::untrusted_response(
                "the callback belongs to another flow: its `state` is not the one that was sent",
            ));
        }
        let metadata = self.client.provider().metadata().await?;
        let issuer = self.client.provider().issuer().as_str();
        let code = callback.code(issuer, metadata.sends_issuer_in_callbacks())?;
        self.redeem(&code).await
    }

    async fn redeem(&self, code: &Secret) -> Result<TokenResponse, Error> {
        let mut members = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", &self.secrets.redirect_uri),
            ("code_verifier", self.secrets.verifier.expose()),
        ];
        // The scope was said before; at the token endpoint only the APIs can be narrowed (RFC 8707,
        // section 2.2).
        members.extend(
            self.request
                .members()
                .filter(|(name, _)| *name == "resource"),
        );
        let granted = self.client.request_form(&members, &self.request).await?;
        let nonce = self.secrets.nonce.as_ref().map(Secret::expose);
        if nonce.is_some() && granted.id_token.is_none() {
            return Err(Error::malformed_response(
                "an ID token was asked for, and the answer holds none",
            ));
        }
        let expected = IdTokenCriteria {
            nonce,
            max_age: self.max_age,
            ..IdTokenCriteria::default()
        };
        self.client.verify_response(granted, expected).await
    }
}

/// Shows the client only: the address holds the state and the nonce.
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
