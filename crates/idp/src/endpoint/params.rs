//! The parameters of a request, each once (RFC 6749, section 3.1).

use super::error::OAuthError;
use super::{assertion, graph};
use crate::config::Client;
use crate::state::State;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

/// Parameters with their values decoded; those without a value do not count.
#[derive(Clone)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads a query string or a form.
    pub(super) fn parse(text: &str) -> Result<Self, OAuthError> {
        let mut params = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            if params.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(OAuthError::invalid_request("a parameter is repeated"));
            }
        }
        Ok(Self(params))
    }

    /// Reads the form of a POST.
    pub(super) fn of_form(headers: &HeaderMap, body: &str) -> Result<Self, OAuthError> {
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
            return Err(OAuthError::invalid_request("the body must be application/x-www-form-urlencoded"));
        }
        Self::parse(body)
    }

    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn need(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.find(name).ok_or_else(|| OAuthError::invalid_request(&format!("`{name}` is missing")))
    }

    /// Whether there are credentials of a client, good or bad.
    pub(super) fn tells_who_asks(&self, headers: &HeaderMap) -> bool {
        let names = ["client_id", "client_secret", "client_assertion"];
        headers.contains_key(AUTHORIZATION) || names.iter().any(|name| self.find(name).is_some())
    }

    /// The client that asks, authenticated by Basic or in the form (RFC 6749, section 2.3.1), or by an assertion
    /// (RFC 7523); a public client only names itself.
    pub(super) fn client<'s>(&self, state: &'s State, headers: &HeaderMap) -> Result<&'s Client, OAuthError> {
        if self.find("client_assertion_type").is_some() || self.find("client_assertion").is_some() {
            return self.asserted_client(state, headers);
        }
        let basic = headers
            .get(AUTHORIZATION)
            .map(|value| basic(value.as_bytes()).ok_or_else(OAuthError::invalid_client));
        let (id, secret) = match basic.transpose()? {
            Some(_) if self.find("client_secret").is_some() => {
                return Err(OAuthError::invalid_request("two ways of client authentication at once"));
            }
            Some((id, secret)) => (id, Some(secret)),
            None => (self.need("client_id")?.to_owned(), self.find("client_secret").map(str::to_owned)),
        };
        let client = state.client(&id).ok_or_else(OAuthError::invalid_client)?;
        let authentic = match (&client.secret, secret) {
            (Some(right), Some(sent)) => right.is(&sent),
            (None, None) => client.is_public(),
            _ => false,
        };
        if authentic { Ok(client) } else { Err(OAuthError::invalid_client()) }
    }

    fn asserted_client<'s>(&self, state: &'s State, headers: &HeaderMap) -> Result<&'s Client, OAuthError> {
        if headers.contains_key(AUTHORIZATION) || self.find("client_secret").is_some() {
            return Err(OAuthError::invalid_request("two ways of client authentication at once"));
        }
        if self.need("client_assertion_type")? != assertion::TYPE {
            return Err(OAuthError::invalid_request("`client_assertion_type` is not the one for JWTs"));
        }
        let client = assertion::client(state, self.need("client_assertion")?)?;
        match self.find("client_id") {
            Some(id) if id != client.id => Err(OAuthError::invalid_client()),
            _ => Ok(client),
        }
    }

    /// The audience that is asked for by `resource` (RFC 8707), `audience` or a scope that ends in `/.default`
    /// (Entra ID), or the default one.
    pub(super) fn audience(&self, state: &State, client: &Client) -> Result<String, OAuthError> {
        let default = state.audience_for(&client.id);
        let by_scope = self.find("scope").and_then(|scope| scope.strip_suffix("/.default"));
        let by_scope = by_scope.filter(|_| state.shape.has_graph());
        let asked = self.find("resource").or_else(|| self.find("audience")).or(by_scope).unwrap_or(&default);
        if asked == default || state.shape.is_address_of(&default, asked) {
            return Ok(default);
        }
        let is_graph = state.shape.has_graph() && (asked == graph::AUDIENCE || asked == state.url("/graph"));
        if is_graph || client.audiences.iter().any(|audience| audience == asked) {
            return Ok(asked.to_owned());
        }
        Err(OAuthError::new("invalid_target", "the client may not ask for this audience"))
    }

    /// The scopes that are asked for, or all that the client may ask for.
    pub(super) fn scope(&self, state: &State, client: &Client, also: &[&str]) -> Result<String, OAuthError> {
        let all = client.scopes.join(" ");
        let Some(asked) = self.find("scope") else { return Ok(all) };
        let asked = asked.split(' ').filter(|scope| !scope.is_empty());
        let scopes: Vec<&str> = asked.map(|scope| state.shape.scope_name(scope)).collect();
        if state.shape.has_graph() && scopes == [".default"] {
            return Ok(all);
        }
        let allowed = |scope: &str| also.contains(&scope) || client.scopes.iter().any(|held| held == scope);
        if scopes.iter().copied().all(allowed) {
            return Ok(scopes.join(" "));
        }
        Err(OAuthError::new("invalid_scope", "the client may not ask for one of these scopes"))
    }
}

/// The id and the secret of Basic credentials, each form-encoded inside.
fn basic(value: &[u8]) -> Option<(String, String)> {
    let (scheme, encoded) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let decoded = scheme.eq_ignore_ascii_case("Basic").then(|| STANDARD.decode(encoded.trim()).ok())??;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decoded(id), form_decoded(secret)))
}

fn form_decoded(text: &str) -> String {
    // A text without `=` and `&` parses as one name.
    let escaped = text.replace('=', "%3D").replace('&', "%26");
    form_urlencoded::parse(escaped.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}
