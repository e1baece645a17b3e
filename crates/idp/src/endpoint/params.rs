//! The parameters of a request, each once (RFC 6749, section 3.1).

use super::error::OAuthError;
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

    /// The client that asks, authenticated by Basic or in the form (RFC 6749, section 2.3.1); a public client
    /// only names itself.
    pub(super) fn client<'s>(&self, state: &'s State, headers: &HeaderMap) -> Result<&'s Client, OAuthError> {
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
            (None, None) => true,
            _ => false,
        };
        if authentic { Ok(client) } else { Err(OAuthError::invalid_client()) }
    }

    /// The audience that is asked for by `resource` (RFC 8707) or `audience`, or the default one.
    pub(super) fn audience(&self, state: &State, client: &Client) -> Result<String, OAuthError> {
        let default = &state.config.audience;
        let asked = self.find("resource").or_else(|| self.find("audience")).unwrap_or(default);
        if asked == default || client.audiences.iter().any(|audience| audience == asked) {
            return Ok(asked.to_owned());
        }
        Err(OAuthError::new("invalid_target", "the client may not ask for this audience"))
    }

    /// The scopes that are asked for, or all that the client may ask for.
    pub(super) fn scope(&self, client: &Client, also: &[&str]) -> Result<String, OAuthError> {
        let Some(asked) = self.find("scope") else { return Ok(client.scopes.join(" ")) };
        let allowed = |scope: &str| also.contains(&scope) || client.scopes.iter().any(|held| held == scope);
        let scopes: Vec<&str> = asked.split(' ').filter(|scope| !scope.is_empty()).collect();
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
