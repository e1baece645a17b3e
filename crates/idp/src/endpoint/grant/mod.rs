//! The token endpoint (RFC 6749, section 3.2): one file for each grant. No password grant.

mod client_credentials;
mod code;
mod device;
mod refresh;

use super::caller::Form;
use super::dpop::{self, Binding};
use super::error::{OAuthError, json};
use super::params::Params;
use crate::client::Client;
use crate::dialect::Kind;
use crate::jws::sha256_left_half;
use crate::mint::TokenBuilder;
use crate::state::State;
use crate::store::Grant;
use axum::extract;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

/// The grants, by their names in requests.
pub(super) const TYPES: [&str; 4] =
    ["authorization_code", "client_credentials", "refresh_token", DEVICE_CODE];
pub(super) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What every grant begins with: a client that is who it says, and what it asks for.
struct Ask<'r> {
    state: &'r Arc<State>,
    client: Arc<Client>,
    params: &'r Params,
    /// What the tokens are bound to.
    binding: Binding,
}

pub(super) async fn token(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    dpop::with_nonce(&state, json(form.and_then(|form| answer(&state, &form))))
}

fn answer(state: &Arc<State>, form: &Form) -> Result<Value, OAuthError> {
    let client = form.client(state)?;
    let binding = form.binding(state, &client)?;
    let ask = Ask { state, client, params: &form.params, binding };
    let grant_type = ask.params.need("grant_type")?;
    if !TYPES.contains(&grant_type) {
        return Err(OAuthError::new("unsupported_grant_type", "see `grant_types_supported`"));
    }
    if !ask.client.may_use(grant_type) {
        return Err(OAuthError::new("unauthorized_client", "the client may not use this grant"));
    }
    match grant_type {
        "client_credentials" => client_credentials::tokens(&ask),
        "authorization_code" => code::tokens(&ask),
        "refresh_token" => refresh::tokens(&ask),
        _ => device::tokens(&ask),
    }
}

impl Ask<'_> {
    /// The tokens of a user: access and refresh, and with `openid` an ID token.
    fn tokens_of_user(&self, grant: &Grant, scope: &str) -> Result<Value, OAuthError> {
        let state = self.state;
        let gone = || OAuthError::invalid_grant("the user is gone");
        let user = state.user(&grant.username).ok_or_else(gone)?;
        let builder = || TokenBuilder::for_user(state, user, &grant.client).of_grant(grant);
        let cnf = || self.binding.cnf();
        let access = builder().audience(&grant.audience).scope(scope).bound(cnf());
        let access_token = state.flaws.on(Kind::Access, access).issue();
        let mut answer = self.answer(&access_token, scope);
        if let Value::Object(members) = &mut answer {
            // A client that can prove who it is needs no other proof to refresh (RFC 9449, section 5).
            let jkt = self.binding.jkt.clone().filter(|_| self.client.is_public());
            let kept = Grant { jkt, ..grant.clone() };
            let refresh_token = state.store().add_refresh_token(kept, state.now());
            members.insert("refresh_token".to_owned(), refresh_token.into());
            if scope.split(' ').any(|scope| scope == "openid") {
                // The left half of the access token's digest (OpenID Connect Core, section 3.1.3.6).
                let at_hash = sha256_left_half(access_token.as_bytes());
                let builder = builder().audience(&grant.client);
                let id = builder.into_id_token(grant.nonce.clone(), Some(at_hash));
                let id_token = state.flaws.on(Kind::Id, id).sign();
                members.insert("id_token".to_owned(), id_token.into());
            }
        }
        Ok(answer)
    }

    fn answer(&self, access_token: &str, scope: &str) -> Value {
        serde_json::json!({
            "access_token": access_token,
            "token_type": self.binding.token_type(),
            "expires_in": self.state.config.access_token_lifetime,
            "scope": scope,
        })
    }
}
