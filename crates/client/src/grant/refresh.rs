//! New tokens for a refresh token (RFC 6749, section 6).

use crate::client::Client;
use crate::error::Error;
use crate::id_token::{IdToken, IdTokenCriteria};
use crate::request::TokenRequest;
use crate::response::UnverifiedResponse;
use crate::token::{RefreshToken, TokenResponse};

impl Client {
    /// New tokens for a refresh token. The request can ask for fewer scopes, or for another of the
    /// granted APIs.
    ///
    /// Many providers accept a refresh token only once: keep [`TokenResponse::refresh_token`].
    /// Never use one twice at the same time: a provider may take that for theft and end the
    /// session.
    ///
    /// ```no_run
    /// use portcullis_client::{Client, Error, RefreshToken, Secret, TokenRequest};
    ///
    /// # async fn example(client: Client, stored: Secret) -> Result<(), Error> {
    /// let old = RefreshToken::new(stored).with_subject("alice");
    /// let tokens = client.refresh(&old, &TokenRequest::new()).await?;
    /// // Store this one. It is the old one if the provider does not rotate.
    /// let new = tokens.refresh_token();
    /// # let _ = new;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The provider's refusal (`invalid_grant`: the person has to sign in again), a response that
    /// cannot be trusted, such as one with another person's ID token, or an outage.
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        request: &TokenRequest,
    ) -> Result<TokenResponse, Error> {
        let members = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.expose()),
        ];
        let response = self.request_tokens(&members, request).await?;
        let criteria = IdTokenCriteria {
            subject: token.subject(),
            ..IdTokenCriteria::default()
        };
        let mut tokens = self.verify_response(response, criteria).await?;
        // RFC 6749, section 6: without a new refresh token, the old one stays good.
        let mut current = match tokens.refresh_token.take() {
            Some(new) => new,
            None => token.clone(),
        };
        if let Some(subject) = token.subject() {
            current = current.with_subject(subject);
        }
        tokens.refresh_token = Some(current);
        // `offline_access` asks for a refresh token, and there is one: the scope is granted.
        let withheld = tokens.withheld.iter();
        tokens.withheld = withheld.filter(|it| *it != "offline_access").collect();
        Ok(tokens)
    }

    /// The tokens, after the ID token is verified, if there is one.
    pub(crate) async fn verify_response(
        &self,
        response: UnverifiedResponse,
        criteria: IdTokenCriteria<'_>,
    ) -> Result<TokenResponse, Error> {
        let mut tokens = response.tokens;
        let Some(id_token) = response.id_token else {
            return Ok(tokens);
        };
        let criteria = IdTokenCriteria {
            client: self.id(),
            access_token: Some(tokens.access_token.expose()),
            trusted: self.trusted_audiences(),
            ..criteria
        };
        let id_token = IdToken::verify(id_token, self.provider(), &criteria).await?;
        // The refresh token remembers its person, so that a later refresh can compare.
        if let Some(refresh_token) = tokens.refresh_token.take() {
            tokens.refresh_token = Some(refresh_token.with_subject(id_token.subject()));
        }
        tokens.id_token = Some(id_token);
        Ok(tokens)
    }
}
