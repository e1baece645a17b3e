//! A token in exchange for another: token exchange (RFC 8693), and Entra ID's on-behalf-of flow.
//!
//! A service calls the next service in the name of its caller, with a token for that service only.

use crate::client::Client;
use crate::error::Error;
use crate::request::TokenRequest;
use crate::token::TokenResponse;
use portcullis_provider::client_auth::Secret;

/// The token that is exchanged (RFC 8693, sections 2.1 and 3).
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

    /// Another JWT, such as that of a Kubernetes pod or a CI job.
    pub fn jwt(text: Secret) -> Self {
        Self::of_type(text, "urn:ietf:params:oauth:token-type:jwt")
    }

    /// A token whose type has this URI.
    pub fn of_type(text: Secret, uri: &str) -> Self {
        Self {
            text,
            kind: uri.into(),
        }
    }
}

impl Client {
    /// Exchanges a token for one for another API (RFC 8693). With an `actor`, the new token names
    /// the party that acts for the subject (delegation); without one it does not (impersonation).
    ///
    /// The response must hold an access token. Another kind (`token_type` `N_A`) is an error.
    ///
    /// ```no_run
    /// use portcullis_client::{Client, Error, Secret, SubjectToken, TokenRequest};
    ///
    /// # async fn example(client: Client, callers_token: Secret) -> Result<(), Error> {
    /// let subject = SubjectToken::access_token(callers_token);
    /// let request = TokenRequest::new().audience("billing-api");
    /// let tokens = client.exchange(&subject, None, &request).await?;
    /// # let _ = tokens;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The provider's refusal, a response that cannot be trusted, or an outage.
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
        let tokens = self.request_tokens(&members, request).await?.tokens;
        // A provider that ignores the grant may send an ordinary token. This member shows that it
        // did exchange something.
        if tokens.issued_token_type().is_none() {
            return Err(Error::malformed_response(
                "the response holds no `issued_token_type` (RFC 8693, section 2.2.1)",
            ));
        }
        Ok(tokens)
    }

    /// A token for another API, in the name of the user of this access token, as Entra ID defines
    /// it (`jwt-bearer` with `requested_token_use=on_behalf_of`). The audience of the user's token
    /// must be this client.
    ///
    /// # Errors
    ///
    /// The provider's refusal (`interaction_required`: the user has to consent or sign in again), a
    /// response that cannot be trusted, or an outage.
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
