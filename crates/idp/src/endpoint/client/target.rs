//! The audience and the scopes that a client asks for, checked against what it may have.

use crate::config::client::Client;
use crate::dialect::entra::GRAPH_AUDIENCE;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::state::State;

/// The scopes of OpenID Connect, which every client may ask for a user's tokens with.
pub(crate) const OPENID_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// The scopes of its endpoints, which every client may ask for itself.
pub(crate) const SSF_SCOPES: [&str; 2] = ["ssf.manage", "ssf.read"];

impl Params {
    /// The audience that is asked for by `resource` (RFC 8707), `audience` or a scope that ends in
    /// `/.default` (Entra ID), or the default one.
    pub(crate) fn audience(&self, state: &State, client: &Client) -> Result<String, OAuthError> {
        let default = state.audience_for(&client.id);
        let by_scope = self
            .find("scope")
            .and_then(|scope| scope.strip_suffix("/.default"));
        let by_scope = by_scope.filter(|_| state.shape.has_graph());
        let asked = self
            .find("resource")
            .or_else(|| self.find("audience"))
            .or(by_scope)
            .unwrap_or(&default);
        if asked == default || state.shape.is_address_of(&default, asked) {
            return Ok(default);
        }
        let is_graph =
            state.shape.has_graph() && (asked == GRAPH_AUDIENCE || asked == state.url("/graph"));
        let allowed = client.audiences.iter().any(|audience| audience == asked);
        if is_graph || allowed || client.danger_unchecked {
            return Ok(asked.to_owned());
        }
        Err(OAuthError::new(
            "invalid_target",
            "the client may not ask for this audience",
        ))
    }

    /// The scopes that are asked for, or all that the client may ask for.
    pub(crate) fn scope(
        &self,
        state: &State,
        client: &Client,
        also: &[&str],
    ) -> Result<String, OAuthError> {
        let all = client.scopes.join(" ");
        let Some(asked) = self.find("scope") else {
            return Ok(all);
        };
        let asked = asked.split(' ').filter(|scope| !scope.is_empty());
        let scopes: Vec<&str> = asked.map(|scope| state.shape.scope_name(scope)).collect();
        if state.shape.has_graph() && scopes == [".default"] {
            return Ok(all);
        }
        let held =
            |scope: &str| also.contains(&scope) || client.scopes.iter().any(|held| held == scope);
        if client.danger_unchecked || scopes.iter().copied().all(held) {
            return Ok(scopes.join(" "));
        }
        Err(OAuthError::new(
            "invalid_scope",
            "the client may not ask for one of these scopes",
        ))
    }
}
