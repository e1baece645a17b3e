//! A token for a token: exchange (RFC 8693), and on-behalf-of as Entra ID has it.
//!
//! A service that was called by somebody calls on, in that somebody's name, with a token for the
//! next service alone.

use crate::client::Client;
use crate::error::Error;
use crate::request::TokenRequest;
use crate::token::TokenResponse;
use portcullis_provider::client_auth::Secret;

/// A token that another one is asked for (RFC 8693, sections 2.1 and 3).
#[derive(Clone, Debug)]
pub struct SubjectToken {
    text: Secret,
    kind: Box<str>,
}

impl SubjectToken {
    /// An access token.
    pub fn access_token(text: Secret) -> Self {
        Self::of_type(text, "urn:ietf:params:oauth:token-type:access_token")
    }

    /// An ID token.
    pub fn id_token(text: Secret) -> Self {
        Self::of_type(text, "urn:ietf:params:oauth:token-type:id_token")
    }

    /// Some other JWT, such as the one that a Kubernetes pod or a CI job has.
    pub fn jwt(text: Secret) -> Self {
        Self::of_type(text, "urn:ietf:params:oauth:token-type:jwt")
    }

    /// A token of the type with this URI.
    pub fn of_type(text: Secret, uri: &str) -> Self {
        Self {
            text,
            kind: uri.into(),
        }
    }
}

impl Client {
    /// Exchanges a token for one that is meant for another API (RFC 8693). With an `actor`, the new
    /// token says who acts for the subject (delegation); without one it does not (impersonation).
    ///
    /// Only access tokens are taken as an answer: a provider that gives something else
    /// (`token_type` `N_A`) is refused.
    ///
    /// # Errors
    ///
    /// The provider's refusal, an answer that cannot be trusted, or an outage.
    pub async fn exchange(
        &self,
        subject: &SubjectToken,
        actor: Option<&SubjectToken>,
        request: &TokenRequest,
    ) -> Result<TokenResponse, Error> {
        let mut members = vec![
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            (
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("subject_token", subject.text.expose()),
            ("subject_token_type", &subject.kind),
        ];
        if let Some(actor) = actor {
            members.push(("actor_token", actor.text.expose()));
            members.push(("actor_token_type", &actor.kind));
        }
        let granted = self.request_tokens(&members, request).await?;
        match granted.tokens.issued_token_type() {
            None => Err(Error::malformed_response(
                "the answer holds no `issued_token_type` (RFC 8693, section 2.2.1)",
            )),
            Some(_) => Ok(granted.tokens),
        }
    }

    /// A token for another API in the name of the user whose access token this is, as Entra ID has
    /// it (`jwt-bearer` with `requested_token_use=on_behalf_of`). The token has to be one for this
    /// client itself.
    ///
    /// # Errors
    ///
    /// The provider's refusal (`interaction_required`: the user has to consent, or to sign in once
    /// more), an answer that cannot be trusted, or an outage.
    pub async fn on_behalf_of(
        &self,
        user: &Secret,
        request: &TokenRequest,
    ) -> Result<TokenResponse, Error> {
        let members = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("requested_token_use", "on_behalf_of"),
            ("assertion", user.expose()),
        ];
        Ok(self.request_tokens(&members, request).await?.tokens)
    }
}
