//! Client credentials (RFC 6749, section 4.4): a client acts for itself.

use crate::endpoint::client::target::SSF_SCOPES;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::token::request::Ask;
use crate::issue::builder::TokenBuilder;
use serde_json::Value;

pub(crate) fn tokens(ask: &Ask<'_>) -> Result<Value, OAuthError> {
    let (state, client) = (ask.state, &*ask.client);
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
        .bound(ask.binding.cnf());
    let token = builder
        .by("client_credentials")
        .with_ordered_flaws()
        .issue();
    Ok(ask.answer(&token, &scope))
}
