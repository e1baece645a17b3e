//! The end of tokens: revocation (RFC 7009), and logout at the provider (OpenID Connect
//! RP-Initiated Logout 1.0).

use crate::client::Client;
use crate::error::Error;
use crate::metadata::ProviderEndpoint;
use crate::response;
use crate::token::{IssuedToken, RefreshToken};
use url::Url;

impl Client {
    /// Has the provider revoke a refresh token, and with it, at most providers, what was made from
    /// it.
    ///
    /// # Errors
    ///
    /// The provider's refusal, or an outage. A token that the provider does not know is revoked
    /// (RFC 7009, section 2.2).
    pub async fn revoke_refresh_token(&self, token: &RefreshToken) -> Result<(), Error> {
        self.revoke(token.expose(), "refresh_token").await
    }

    /// Has the provider revoke an access token. Resource servers that verify tokens by themselves
    /// may take it until it ends.
    ///
    /// # Errors
    ///
    /// As for a refresh token; many providers refuse with `unsupported_token_type`.
    pub async fn revoke_access_token(&self, token: &IssuedToken) -> Result<(), Error> {
        self.revoke(token.expose(), "access_token").await
    }

    async fn revoke(&self, token: &str, hint: &str) -> Result<(), Error> {
        let members = [("token", token), ("token_type_hint", hint)];
        let (url, answered) = self.ask(ProviderEndpoint::Revocation, &members).await?;
        match answered.status {
            // What the body says does not matter (RFC 7009, section 2.2).
            200 | 204 => Ok(()),
            _ => response::document(url, &answered, self.provider().limits()).map(|_| ()),
        }
    }

    /// The page where the person is signed out at the provider, to be opened in a browser. `hint`
    /// is the text of the ID token that was given at sign-in: the address holds it, so do not log
    /// it. `back` is where the browser goes afterwards; it must be registered, and gets `state`
    /// back.
    ///
    /// # Errors
    ///
    /// A provider that has no such page.
    pub async fn logout_url(
        &self,
        hint: Option<&str>,
        back: Option<&str>,
        state: Option<&str>,
    ) -> Result<Url, Error> {
        let page = self
            .provider()
            .metadata()
            .await?
            .end_session_endpoint()
            .cloned();
        let mut url = page.ok_or_else(|| {
            let cure = "revoke the tokens; this provider has no page for signing out";
            Error::config(
                "end_session_endpoint",
                "the provider's metadata does not name it",
                cure,
            )
        })?;
        let members = [
            ("id_token_hint", hint),
            ("post_logout_redirect_uri", back),
            ("state", state),
        ];
        let mut query = url.query_pairs_mut();
        query.append_pair("client_id", self.id());
        for (name, value) in members {
            value.map(|value| query.append_pair(name, value));
        }
        drop(query);
        Ok(url)
    }
}
