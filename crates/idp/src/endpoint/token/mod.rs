//! The token endpoint (RFC 6749, section 3.2): one file for each grant. No password grant.

pub(crate) mod client_credentials;
pub(crate) mod code;
pub(crate) mod device;
pub(crate) mod exchange;
pub(crate) mod grant_types;
pub(crate) mod on_behalf_of;
pub(crate) mod refresh;
pub(crate) mod request;
pub(crate) mod revoke;

use crate::endpoint::client::dpop;
use crate::endpoint::client::mismatch::Mismatch;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::{OAuthError, json, printable};
use crate::endpoint::token::grant_types::{JWT_BEARER, TOKEN_EXCHANGE, types};
use crate::endpoint::token::request::GrantRequest;
use crate::state::IdpState;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

pub(crate) async fn token(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    dpop::with_nonce(&state, json(form.and_then(|form| answer(&state, &form))))
}

fn answer(state: &Arc<IdpState>, form: &PostedForm) -> Result<Value, OAuthError> {
    let client = form.client(state)?;
    let binding = form.binding(state, &client)?;
    let ask = GrantRequest {
        state,
        client,
        params: &form.params,
        binding,
    };
    // After the client: an unauthenticated caller learns nothing about grants.
    let grant_type = ask.params.need("grant_type")?;
    if !types(state).contains(&grant_type) {
        let expected = types(state).join("`, `");
        return Err(OAuthError::new(
            "unsupported_grant_type",
            &format!(
                "`grant_type`: expected one of `{expected}`, found `{}`",
                printable(grant_type)
            ),
        ));
    }
    if !ask.client.may_use(grant_type) {
        return Err(Mismatch::of_grant(&ask.client, grant_type).into_error("unauthorized_client"));
    }
    match grant_type {
        "client_credentials" => client_credentials::tokens(&ask),
        "authorization_code" => code::tokens(&ask),
        "refresh_token" => refresh::tokens(&ask),
        TOKEN_EXCHANGE => exchange::tokens(&ask),
        JWT_BEARER => on_behalf_of::tokens(&ask),
        _ => device::tokens(&ask),
    }
}
