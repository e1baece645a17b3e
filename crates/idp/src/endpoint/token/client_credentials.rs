//! Client credentials (RFC 6749, section 4.4): a client acts for itself.

use crate::endpoint::client::target::SSF_SCOPES;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::token::request::GrantRequest;
use crate::issue::builder::TokenBuilder;
use serde_json::Value;

pub(crate) fn tokens(ask: &GrantRequest<'_>) -> Result<Value, OAuthError> {
    let (state, client) = (ask.state, &*ask.client);
    // Anybody could act as a client that proves nothing (RFC 6749, section 4.4).
    if client.is_public() {
        return Err(OAuthError::new(
            "unauthorized_client",
            "client credentials need a secret or a key",
        ));
    }
    let (audience, scope) = (
        ask.params.audience(state, client)?,
        ask.params.scope(state, client, &SSF_SCOPES)?,
    );
    let builder = TokenBuilder::for_client(state, client)
        .audience(&audience)
        .scope(&scope)
        .bind(ask.binding.cnf());
    let token = builder
        .by("client_credentials")
        .with_ordered_flaws()
        .issue();
    Ok(ask.answer(&token, &scope))
}
