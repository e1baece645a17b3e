//! The end of a session: revocation (RFC 7009), and logout at the provider (OpenID Connect
//! RP-Initiated Logout 1.0).

use crate::client::Client;
use crate::error::Error;
use crate::metadata::ProviderEndpoint;
use crate::response;
use crate::token::{IssuedToken, RefreshToken};
use url::Url;

impl Client {
    /// Revokes a refresh token at the provider. Most providers then revoke the access tokens from
    /// it as well.
    ///
    /// # Errors
    ///
    /// The provider's refusal, or an outage. A token that the provider does not know counts as
    /// revoked (RFC 7009, section 2.2).
    pub async fn revoke_refresh_token(&self, token: &RefreshToken) -> Result<(), Error> {
        self.revoke(token.expose(), "refresh_token").await
    }

    /// Revokes an access token at the provider. A resource server that verifies tokens by itself
    /// may accept it until it expires.
    ///
    /// # Errors
    ///
    /// As for a refresh token. Many providers refuse with `unsupported_token_type`.
    pub async fn revoke_access_token(&self, token: &IssuedToken) -> Result<(), Error> {
        self.revoke(token.expose(), "access_token").await
    }

    async fn revoke(&self, token: &str, hint: &str) -> Result<(), Error> {
        let members = [("token", token), ("token_type_hint", hint)];
        let (url, response) = self
            .ask(ProviderEndpoint::Revocation, &members)
            .await?;
        // RFC 7009, section 2.2: the status alone counts. Some providers send an empty body, others
        // a page.
        if matches!(response.status, 200 | 204) {
            return Ok(());
        }
        response::document(url, &response, self.provider().limits())?;
        Ok(())
    }

    /// The address that signs the person out at the provider, to be opened in a browser. `hint` is
    /// the text of the ID token from the sign-in; it is part of the address, so do not log the
    /// address. `back` is where the browser goes afterwards, with `state`; it must be registered.
    ///
    /// # Errors
    ///
    /// A provider without such a page.
    pub async fn logout_url(
        &self,
        hint: Option<&str>,
        back: Option<&str>,
        state: Option<&str>,
    ) -> Result<Url, Error> {
        let metadata = self.provider().metadata().await?;
        let Some(page) = metadata.end_session_endpoint() else {
            let problem = "the provider's metadata does not name it";
            let help = "revoke the tokens: this provider has no page for signing out";
            return Err(Error::config("end_session_endpoint", problem, help));
        };
        let mut url = page.clone();
        // The page may have a query of its own, so this appends.
        let mut query = url.query_pairs_mut();
        query.append_pair("client_id", self.id());
        for (name, value) in [
            ("id_token_hint", hint),
            ("post_logout_redirect_uri", back),
            ("state", state),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        drop(query);
        Ok(url)
    }
}
