//! Revocation (RFC 7009): by the client that owns the token. An unknown token is no error.

use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::state::IdpState;
use crate::store::validity::BY_REVOCATION;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

pub(crate) async fn revoke(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    match form.and_then(|form| end(&state, &form)) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

fn end(state: &IdpState, form: &PostedForm) -> Result<(), OAuthError> {
    let client = form.client(state)?;
    let (token, now) = (form.params.need("token")?, state.now());
    let mut store = state.store();
    // The hint may be wrong (RFC 7009, section 2.1), so both kinds are looked for in any case.
    if let Ok(grant) = store.grant_of(token, &client.id, now) {
        // The access tokens of the same grant end too (RFC 7009, section 2.1).
        store.revoke_grant(grant.id, BY_REVOCATION);
    }
    if let Some(issued) = store.access_token(token, now)
        && issued.client == client.id
    {
        store.revoke_access_token(token);
    }
    Ok(())
}
