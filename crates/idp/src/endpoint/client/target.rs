//! The audience and the scopes that a client asks for, checked against what it may have.

use crate::config::client::RegisteredClient;
use crate::dialect::entra::GRAPH_AUDIENCE;
use crate::endpoint::client::mismatch::Mismatch;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::state::IdpState;

/// The scopes of OpenID Connect; every client may ask for them in a user's name.
pub(crate) const OPENID_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// The scopes of the stream endpoints; every client may ask for them in its own name.
pub(crate) const SSF_SCOPES: [&str; 2] = ["ssf.manage", "ssf.read"];

impl Params {
    /// The audience named by `resource` (RFC 8707), `audience` or a scope that ends in
    /// `/.default` (Entra ID), or the default one.
    pub(crate) fn audience(
        &self,
        state: &IdpState,
        client: &RegisteredClient,
    ) -> Result<String, OAuthError> {
        let default = state.audience_for(&client.id);
        let asked = self
            .find("resource")
            .or(self.find("audience"))
            .or(self.default_scope_of(state))
            .unwrap_or(&default);
        if asked == default || state.shape.is_address_of(&default, asked) {
            return Ok(default);
        }
        // Any client may ask for Graph: an API reads groups there, and Graph has no permissions
        // here.
        let is_graph =
            state.shape.has_graph() && (asked == GRAPH_AUDIENCE || asked == state.url("/graph"));
        if is_graph || client.danger_unchecked || contains(&client.audiences, asked) {
            return Ok(asked.to_owned());
        }
        let parameter = match self.find("resource") {
            Some(_) => "resource",
            None => "audience",
        };
        let registered = ("audiences", &client.audiences[..]);
        let mut mismatch = Mismatch::of_client(client, parameter, Some(asked), registered);
        // Nobody has to register the default one.
        mismatch.registered.insert(0, default);
        Err(mismatch.into_error("invalid_target"))
    }

    /// The API of `scope=api://.../.default`, Entra ID's way to ask for an audience.
    fn default_scope_of(&self, state: &IdpState) -> Option<&str> {
        if !state.shape.has_graph() {
            return None;
        }
        self.find("scope")?.strip_suffix("/.default")
    }

    /// The requested scopes, or else all scopes of the client. `also` holds scopes that every
    /// client may ask for.
    pub(crate) fn scope(
        &self,
        state: &IdpState,
        client: &RegisteredClient,
        also: &[&str],
    ) -> Result<String, OAuthError> {
        let all = client.scopes.join(" ");
        let Some(asked) = self.find("scope") else {
            return Ok(all);
        };
        let mut scopes = Vec::new();
        for scope in asked.split(' ') {
            if !scope.is_empty() {
                scopes.push(state.shape.scope_name(scope));
            }
        }
        if state.shape.has_graph() && scopes == [".default"] {
            return Ok(all);
        }
        for scope in &scopes {
            let allowed = also.contains(scope) || contains(&client.scopes, scope);
            if !allowed && !client.danger_unchecked {
                let registered = ("scopes", &client.scopes[..]);
                let mut mismatch = Mismatch::of_client(client, "scope", Some(scope), registered);
                mismatch
                    .registered
                    .extend(also.iter().map(ToString::to_string));
                return Err(mismatch.into_error("invalid_scope"));
            }
        }
        Ok(scopes.join(" "))
    }
}

fn contains(values: &[String], wanted: &str) -> bool {
    values.iter().any(|value| value == wanted)
}

/// Whether every scope of one list is in the other one.
pub(crate) fn is_within(asked: &str, granted: &str) -> bool {
    asked
        .split(' ')
        .all(|scope| granted.split(' ').any(|held| held == scope))
}
