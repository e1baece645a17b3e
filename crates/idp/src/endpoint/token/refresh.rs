//! Refresh (RFC 6749, section 6): each token once, and never for more than was granted.

use crate::endpoint::client::target::is_within;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::token::request::GrantRequest;
use crate::store::validity::RedemptionError;
use serde_json::Value;

pub(crate) fn tokens(ask: &GrantRequest<'_>) -> Result<Value, OAuthError> {
    let (state, token) = (ask.state, ask.params.need("refresh_token")?);
    // One lock from the checks to the rotation, so that nothing changes in between.
    let mut store = state.store();
    let grant = store
        .grant_of(token, &ask.client.id, state.now())
        .map_err(|error| refuse(&error))?;
    // A wrong request must not use the token up, so key and scope are checked first.
    if is_bound_elsewhere(&grant.x5t, &ask.binding.x5t) {
        return Err(OAuthError::invalid_grant(
            "the refresh token is bound to another certificate",
        ));
    }
    if is_bound_elsewhere(&grant.jkt, &ask.binding.jkt) {
        return Err(OAuthError::invalid_grant(
            "the refresh token is bound to another key than the proof's",
        ));
    }
    let scope = ask
        .params
        .find("scope")
        .unwrap_or(&grant.scope)
        .to_owned();
    if !is_within(&scope, &grant.scope) {
        return Err(OAuthError::new(
            "invalid_scope",
            "a refresh cannot ask for more than was granted",
        ));
    }
    let grant = store
        .rotate(token, state.now())
        .map_err(|error| refuse(&error))?;
    // The tokens need the store themselves: holding its lock here would be a deadlock.
    drop(store);
    ask.tokens_of_user(&grant, &scope)
}

fn is_bound_elsewhere(bound: &Option<String>, shown: &Option<String>) -> bool {
    bound.is_some() && bound != shown
}

fn refuse(error: &RedemptionError) -> OAuthError {
    OAuthError::invalid_grant(&error.sentence("refresh token"))
}
