//! Refresh (RFC 6749, section 6): each token once, and never for more than was granted.

use crate::endpoint::http::error::OAuthError;
use crate::endpoint::token::request::Ask;
use serde_json::Value;

pub(crate) fn tokens(ask: &Ask<'_>) -> Result<Value, OAuthError> {
    let (state, token) = (ask.state, ask.params.need("refresh_token")?);
    let wrong = || {
        OAuthError::invalid_grant(
            "the refresh token is unknown, expired, used, or for somebody else",
        )
    };
    let mut store = state.store();
    let grant = store
        .grant_of(token, state.now())
        .filter(|grant| grant.client == ask.client.id)
        .ok_or_else(wrong)?;
    // A wrong request must not use the token up: key and scope are judged first.
    let bound_elsewhere =
        |bound: &Option<String>, shown: &Option<String>| bound.is_some() && bound != shown;
    if bound_elsewhere(&grant.x5t, &ask.binding.x5t) {
        return Err(OAuthError::invalid_grant(
            "the refresh token is bound to another certificate",
        ));
    }
    if bound_elsewhere(&grant.jkt, &ask.binding.jkt) {
        return Err(OAuthError::invalid_grant(
            "the refresh token is bound to another key than the proof's",
        ));
    }
    let scope = ask.params.find("scope").unwrap_or(&grant.scope).to_owned();
    if !scope
        .split(' ')
        .all(|scope| grant.scope.split(' ').any(|granted| granted == scope))
    {
        return Err(OAuthError::new(
            "invalid_scope",
            "a refresh cannot ask for more than was granted",
        ));
    }
    let grant = store.rotate(token, state.now()).ok_or_else(wrong)?;
    drop(store);
    ask.tokens_of_user(&grant, &scope)
}
