//! The parameters of a request, each once (RFC 6749, section 3.1).

use super::error::OAuthError;
use super::graph;
use crate::client::Client;
use crate::state::State;
use std::collections::BTreeMap;

/// Parameters with their values decoded; those without a value do not count.
#[derive(Clone)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads a query string or a form.
    pub(super) fn parse(text: &str) -> Result<Self, OAuthError> {
        let mut params = BTreeMap::new();
        for (name, value) in
            form_urlencoded::parse(text.as_bytes()).filter(|(_, value)| !value.is_empty())
        {
            if params
                .insert(name.to_string(), value.into_owned())
                .is_some()
            {
                return Err(OAuthError::invalid_request("a parameter is repeated"));
            }
        }
        Ok(Self(params))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn need(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.find(name)
            .ok_or_else(|| OAuthError::invalid_request(&format!("`{name}` is missing")))
    }

    /// Without what proves the client's identity.
    pub(super) fn without_credentials(&self) -> Self {
        let secret = ["client_secret", "client_assertion", "client_assertion_type"];
        let rest = self
            .0
            .iter()
            .filter(|(name, _)| !secret.contains(&name.as_str()));
        Self(
            rest.map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }

    pub(super) fn insert(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// Form-encoded again.
    pub(super) fn to_form(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }

    /// The audience that is asked for by `resource` (RFC 8707), `audience` or a scope that ends in
    /// `/.default` (Entra ID), or the default one.
    pub(super) fn audience(&self, state: &State, client: &Client) -> Result<String, OAuthError> {
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
            state.shape.has_graph() && (asked == graph::AUDIENCE || asked == state.url("/graph"));
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
    pub(super) fn scope(
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
