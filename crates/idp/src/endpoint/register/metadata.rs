//! What a client says about itself (RFC 7591, section 2), and what becomes of it.

use crate::config::client::{Client, ClientAuthentication};
use crate::config::secret::Secret;
use crate::endpoint::client::target::OPENID_SCOPES;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::register::redirect_uri::is_acceptable;
use crate::endpoint::token::grant_types;
use crate::state::State;
use crate::token::claims::{Claims, claims};
use serde::Deserialize;
use serde_json::{Value, json};

/// How many addresses a client may have.
const MOST_ADDRESSES: usize = 32;

#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<String>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    scope: Option<String>,
    jwks: Option<Value>,
    jwks_uri: Option<Value>,
    software_statement: Option<Value>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    backchannel_logout_uri: Option<String>,
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    #[serde(default)]
    dpop_bound_access_tokens: bool,
    #[serde(default)]
    tls_client_certificate_bound_access_tokens: bool,
    tls_client_auth_subject_dn: Option<String>,
    tls_client_auth_san_dns: Option<String>,
}

impl Metadata {
    /// The client that this makes.
    pub(crate) fn client(
        &self,
        state: &State,
        id: &str,
        secret: Secret,
    ) -> Result<Client, OAuthError> {
        use ClientAuthentication::{ClientSecretBasic, ClientSecretPost};
        if self.jwks_uri.is_some() || self.software_statement.is_some() {
            return Err(wrong(
                "`jwks_uri` and `software_statement` are not supported: send `jwks`",
            ));
        }
        let grant_types = self.grant_types(state)?;
        self.check_addresses(&grant_types)?;
        let method = match &self.token_endpoint_auth_method {
            None => ClientSecretBasic,
            Some(name) => serde_json::from_value(json!(name))
                .map_err(|_| wrong("`token_endpoint_auth_method` is none that is supported"))?,
        };
        Ok(Client {
            id: id.to_owned(),
            secret: matches!(method, ClientSecretBasic | ClientSecretPost).then_some(secret),
            jwks: self.jwks.clone(),
            token_endpoint_auth_method: Some(method),
            grant_types,
            redirect_uris: self.redirect_uris.clone(),
            post_logout_redirect_uris: self.post_logout_redirect_uris.clone(),
            backchannel_logout_uri: self.backchannel_logout_uri.clone(),
            scopes: self.scopes(state)?,
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            tls_client_certificate_bound_access_tokens: self
                .tls_client_certificate_bound_access_tokens,
            tls_client_auth_subject_dn: self.tls_client_auth_subject_dn.clone(),
            tls_client_auth_san_dns: self.tls_client_auth_san_dns.clone(),
            ..Client::default()
        })
    }

    /// Those it named, or the code's alone (section 2). What answers come of it must fit.
    fn grant_types(&self, state: &State) -> Result<Vec<String>, OAuthError> {
        let named = self.grant_types.clone().filter(|types| !types.is_empty());
        let grant_types = named.unwrap_or_else(|| vec!["authorization_code".to_owned()]);
        let known = grant_types::types(state);
        if !grant_types
            .iter()
            .all(|named| known.contains(&named.as_str()))
        {
            return Err(wrong("`grant_types` names one that is not supported"));
        }
        let by_code = grant_types
            .iter()
            .any(|named| named == "authorization_code");
        let expected: &[&str] = if by_code { &["code"] } else { &[] };
        match &self.response_types {
            Some(types) if types != expected => {
                Err(wrong("`response_types` does not go with `grant_types`"))
            }
            _ => Ok(grant_types),
        }
    }

    fn check_addresses(&self, grant_types: &[String]) -> Result<(), OAuthError> {
        let by_code = grant_types
            .iter()
            .any(|named| named == "authorization_code");
        let all = || {
            self.redirect_uris
                .iter()
                .chain(&self.post_logout_redirect_uris)
        };
        let missing = by_code && self.redirect_uris.is_empty();
        if missing || all().count() > MOST_ADDRESSES || !all().all(|uri| is_acceptable(uri)) {
            let why = "addresses must be https, http on loopback, or of an app's own scheme such \
                as `com.example.app:`";
            return Err(OAuthError::new("invalid_redirect_uri", why));
        }
        Ok(())
    }

    /// Those it named, if clients may ask for them here; else all of them.
    fn scopes(&self, state: &State) -> Result<Vec<String>, OAuthError> {
        let mut known: Vec<String> = Vec::new();
        for client in &state.config.clients {
            known.extend(
                client
                    .scopes
                    .iter()
                    .filter(|scope| !known.contains(scope))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        let Some(named) = &self.scope else {
            return Ok(known);
        };
        let named: Vec<&str> = named
            .split(' ')
            .filter(|scope| !OPENID_SCOPES.contains(scope))
            .collect();
        if named
            .iter()
            .all(|scope| known.iter().any(|known| known == scope))
        {
            return Ok(named.into_iter().map(str::to_owned).collect());
        }
        Err(wrong("`scope` names one that is not supported"))
    }
}

/// The client in the same words.
pub(crate) fn told(client: &Client) -> Claims {
    let some = |uris: &[String]| (!uris.is_empty()).then(|| uris.to_vec());
    let by_code = client
        .grant_types
        .iter()
        .any(|named| named == "authorization_code");
    claims(json!({
        "client_id": client.id,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "grant_types": client.grant_types,
        "response_types": if by_code { vec!["code"] } else { Vec::new() },
        "redirect_uris": some(&client.redirect_uris),
        "post_logout_redirect_uris": some(&client.post_logout_redirect_uris),
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "scope": client.scopes.join(" "),
        "jwks": client.jwks,
        "require_pushed_authorization_requests": client.require_pushed_authorization_requests,
        "dpop_bound_access_tokens": client.dpop_bound_access_tokens,
        "tls_client_certificate_bound_access_tokens":
            client.tls_client_certificate_bound_access_tokens,
        "tls_client_auth_subject_dn": client.tls_client_auth_subject_dn,
        "tls_client_auth_san_dns": client.tls_client_auth_san_dns,
    }))
}

fn wrong(description: &str) -> OAuthError {
    OAuthError::new("invalid_client_metadata", description)
}
