//! The token endpoint (RFC 6749, section 3.2): client credentials, code with PKCE, refresh. No password grant.

use super::error::OAuthError;
use super::params::Params;
use crate::config::Client;
use crate::keys::encoded;
use crate::mint::TokenBuilder;
use crate::state::State;
use crate::store::Grant;
use aws_lc_rs::{constant_time, digest};
use axum::http::HeaderMap;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, extract};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn token(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    match grant(&state, &headers, &body) {
        Ok(answer) => ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response(),
        Err(error) => error.into_response(),
    }
}

fn grant(state: &Arc<State>, headers: &HeaderMap, body: &str) -> Result<Value, OAuthError> {
    let params = Params::of_form(headers, body)?;
    let client = params.client(state, headers)?;
    match params.need("grant_type")? {
        "client_credentials" => client_credentials(state, client, &params),
        "authorization_code" => authorization_code(state, client, &params),
        "refresh_token" => refresh_token(state, client, &params),
        _ => Err(OAuthError::new("unsupported_grant_type", "see `grant_types_supported`")),
    }
}

fn client_credentials(state: &Arc<State>, client: &Client, params: &Params) -> Result<Value, OAuthError> {
    if client.is_public() {
        return Err(OAuthError::new("unauthorized_client", "client credentials need a secret or a key"));
    }
    let (audience, scope) = (params.audience(state, client)?, params.scope(state, client, &[])?);
    let builder = TokenBuilder::for_client(state, client).audience(&audience).scope(&scope);
    Ok(answer(state, &builder.issue(), &scope))
}

fn authorization_code(state: &Arc<State>, client: &Client, params: &Params) -> Result<Value, OAuthError> {
    let (code, verifier) = (params.need("code")?, params.need("code_verifier")?);
    let redirect_uri = params.need("redirect_uri")?;
    let wrong = || OAuthError::invalid_grant("the code is unknown, expired, used, or for somebody else");
    let code = state.store().redeem(code, state.now()).ok_or_else(wrong)?;
    let challenge = encoded(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref());
    let proven =
        constant_time::verify_slices_are_equal(challenge.as_bytes(), code.challenge.as_bytes()).is_ok();
    if code.grant.client != client.id || code.redirect_uri != redirect_uri || !proven {
        return Err(wrong());
    }
    issue_for_user(state, &code.grant, &code.grant.scope)
}

fn refresh_token(state: &Arc<State>, client: &Client, params: &Params) -> Result<Value, OAuthError> {
    let token = params.need("refresh_token")?;
    let wrong =
        || OAuthError::invalid_grant("the refresh token is unknown, expired, used, or for somebody else");
    let mut store = state.store();
    let grant =
        store.grant_of(token, state.now()).filter(|grant| grant.client == client.id).ok_or_else(wrong)?;
    // A wrong request must not use the token up: the scope is judged first.
    let scope = params.find("scope").unwrap_or(&grant.scope).to_owned();
    if !scope.split(' ').all(|scope| grant.scope.split(' ').any(|granted| granted == scope)) {
        return Err(OAuthError::new("invalid_scope", "a refresh cannot ask for more than was granted"));
    }
    let grant = store.rotate(token, state.now()).ok_or_else(wrong)?;
    drop(store);
    issue_for_user(state, &grant, &scope)
}

fn issue_for_user(state: &Arc<State>, grant: &Grant, scope: &str) -> Result<Value, OAuthError> {
    let gone = || OAuthError::invalid_grant("the user is gone");
    let user = state.user(&grant.username).ok_or_else(gone)?;
    let builder = || TokenBuilder::for_user(state, user, &grant.client).of_grant(grant);
    let access_token = builder().audience(&grant.audience).scope(scope).issue();
    let mut answer = answer(state, &access_token, scope);
    if let Value::Object(members) = &mut answer {
        let refresh_token = state.store().add_refresh_token(grant.clone(), state.now());
        members.insert("refresh_token".to_owned(), refresh_token.into());
        if scope.split(' ').any(|scope| scope == "openid") {
            let builder = builder().audience(&grant.client);
            let id_token = builder.into_id_token(grant.nonce.clone(), Some(at_hash(&access_token))).sign();
            members.insert("id_token".to_owned(), id_token.into());
        }
    }
    Ok(answer)
}

/// The left half of the access token's digest (OpenID Connect Core, section 3.1.3.6).
fn at_hash(access_token: &str) -> String {
    let hash = digest::digest(&digest::SHA256, access_token.as_bytes());
    encoded(hash.as_ref().get(..16).unwrap_or_default())
}

fn answer(state: &State, access_token: &str, scope: &str) -> Value {
    json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": state.config.access_token_lifetime,
        "scope": scope,
    })
}
