//! New tokens for a refresh token (RFC 6749, section 6).

use crate::client::Client;
use crate::error::Error;
use crate::id_token::{IdToken, IdTokenCriteria};
use crate::request::TokenRequest;
use crate::response::UnverifiedResponse;
use crate::token::{RefreshToken, TokenResponse};

impl Client {
    /// New tokens for a refresh token. The request can ask for fewer scopes, or for another of the
    /// APIs that were granted.
    ///
    /// Many providers accept a refresh token only once: keep [`TokenResponse::refresh_token`].
    /// Never use one twice at the same time: a provider may take that for theft and end the session.
    ///
    /// # Errors
    ///
    /// The provider's refusal (`invalid_grant`: it has to be signed in anew), an answer that cannot
    /// be trusted, an ID token of another person among that, or an outage.
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        request: &TokenRequest,
    ) -> Result<TokenResponse, Error> {
        let members = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.expose()),
        ];
        let granted = self.request_tokens(&members, request).await?;
        let expected = IdTokenCriteria {
            subject: token.subject(),
            ..IdTokenCriteria::default()
        };
        let mut tokens = self.verify_response(granted, expected).await?;
        let kept = tokens.refresh_token.take().unwrap_or_else(|| token.clone());
        // The token that asked for more of its kind is still good: that scope is granted.
        tokens.withheld = tokens
            .withheld
            .iter()
            .filter(|scope| *scope != "offline_access")
            .collect();
        tokens.refresh_token = Some(match token.subject() {
            Some(subject) => kept.with_subject(subject),
            None => kept,
        });
        Ok(tokens)
    }

    /// The tokens, with the ID token verified where there is one.
    pub(crate) async fn verify_response(
        &self,
        granted: UnverifiedResponse,
        expected: IdTokenCriteria<'_>,
    ) -> Result<TokenResponse, Error> {
        let UnverifiedResponse {
            mut tokens,
            id_token,
        } = granted;
        let Some(id_token) = id_token else {
            return Ok(tokens);
        };
        let access_token = Some(tokens.access_token.expose());
        let trusted = self.trusted_audiences();
        let expected = IdTokenCriteria {
            client: self.id(),
            access_token,
            trusted,
            ..expected
        };
        let id_token = IdToken::verify(id_token, self.provider(), &expected).await?;
        tokens.refresh_token = tokens
            .refresh_token
            .map(|token| token.with_subject(id_token.subject()));
        tokens.id_token = Some(id_token);
        Ok(tokens)
    }
}
