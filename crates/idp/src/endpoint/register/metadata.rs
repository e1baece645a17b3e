//! A client's metadata (RFC 7591, section 2), and the client that it describes.

use crate::config::client::{ClientAuthentication, RegisteredClient};
use crate::config::secret::Secret;
use crate::endpoint::client::target::OPENID_SCOPES;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::register::redirect_uri::is_acceptable;
use crate::endpoint::token::grant_types;
use crate::state::IdpState;
use crate::token::claims::{JsonObject, claims};
use serde::Deserialize;
use serde_json::{Value, json};

const CODE_GRANT: &str = "authorization_code";
/// How many addresses a client may have.
const MOST_ADDRESSES: usize = 32;

#[derive(Deserialize)]
pub(crate) struct ClientMetadata {
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

impl ClientMetadata {
    /// The client that the metadata describes.
    pub(crate) fn client(
        &self,
        state: &IdpState,
        id: &str,
        secret: Secret,
    ) -> Result<RegisteredClient, OAuthError> {
        use ClientAuthentication::{ClientSecretBasic, ClientSecretPost};
        // Anybody may register: fetching their addresses would send requests wherever they like.
        if self.jwks_uri.is_some() || self.software_statement.is_some() {
            return Err(wrong(
                "`jwks_uri` and `software_statement` are not supported: send `jwks`",
            ));
        }
        let grant_types = self.grant_types(state)?;
        self.check_addresses(&grant_types)?;
        let method = match &self.token_endpoint_auth_method {
            None => ClientSecretBasic,
            Some(name) => match serde_json::from_value(json!(name)) {
                Ok(method) => method,
                Err(_) => return Err(wrong("`token_endpoint_auth_method` is not supported")),
            },
        };
        let needs_secret = matches!(method, ClientSecretBasic | ClientSecretPost);
        Ok(RegisteredClient {
            id: id.to_owned(),
            secret: needs_secret.then_some(secret),
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
            // Everything else stays at its default: `danger_unchecked` and `claims` above all.
            ..RegisteredClient::default()
        })
    }

    /// The named grant types, or the code's alone (section 2). The response types must fit them.
    fn grant_types(&self, state: &IdpState) -> Result<Vec<String>, OAuthError> {
        let grant_types = match &self.grant_types {
            Some(types) if !types.is_empty() => types.clone(),
            _ => vec![CODE_GRANT.to_owned()],
        };
        let known = grant_types::types(state);
        for named in &grant_types {
            if !known.contains(&named.as_str()) {
                return Err(wrong("`grant_types` names one that is not supported"));
            }
        }
        let expected: &[&str] = if uses_codes(&grant_types) {
            &["code"]
        } else {
            &[]
        };
        match &self.response_types {
            Some(types) if types != expected => {
                Err(wrong("`response_types` does not go with `grant_types`"))
            }
            _ => Ok(grant_types),
        }
    }

    fn check_addresses(&self, grant_types: &[String]) -> Result<(), OAuthError> {
        let all = [&self.redirect_uris[..], &self.post_logout_redirect_uris].concat();
        let missing = uses_codes(grant_types) && self.redirect_uris.is_empty();
        let acceptable = all.iter().all(|uri| is_acceptable(uri));
        if missing || all.len() > MOST_ADDRESSES || !acceptable {
            let why = "addresses must be https, http on loopback, or of an app's own scheme such \
                as `com.example.app:`";
            return Err(OAuthError::new("invalid_redirect_uri", why));
        }
        Ok(())
    }

    /// The named scopes, if clients may ask for them here; all scopes if none are named.
    fn scopes(&self, state: &IdpState) -> Result<Vec<String>, OAuthError> {
        let mut known: Vec<String> = Vec::new();
        for scope in state
            .config
            .clients
            .iter()
            .flat_map(|client| &client.scopes)
        {
            if !known.contains(scope) {
                known.push(scope.clone());
            }
        }
        let Some(scope) = &self.scope else {
            return Ok(known);
        };
        let mut scopes = Vec::new();
        for named in scope.split(' ') {
            // Every client may ask for those of OpenID Connect anyway.
            if OPENID_SCOPES.contains(&named) {
                continue;
            }
            let named = named.to_owned();
            if !known.contains(&named) {
                return Err(wrong("`scope` names one that is not supported"));
            }
            scopes.push(named);
        }
        Ok(scopes)
    }
}

/// The metadata of a registered client.
pub(crate) fn describe(client: &RegisteredClient) -> JsonObject {
    let response_types: &[&str] = if uses_codes(&client.grant_types) {
        &["code"]
    } else {
        &[]
    };
    claims(json!({
        "client_id": client.id,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "grant_types": client.grant_types,
        "response_types": response_types,
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

fn some(uris: &[String]) -> Option<&[String]> {
    (!uris.is_empty()).then_some(uris)
}

fn uses_codes(grant_types: &[String]) -> bool {
    grant_types.iter().any(|named| named == CODE_GRANT)
}

fn wrong(description: &str) -> OAuthError {
    OAuthError::new("invalid_client_metadata", description)
}
