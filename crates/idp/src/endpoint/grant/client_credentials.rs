//! Client credentials (RFC 6749, section 4.4): a client acts for itself.

use super::Ask;
use crate::dialect::Kind;
use crate::endpoint::error::OAuthError;
use crate::endpoint::ssf;
use crate::mint::TokenBuilder;
use serde_json::Value;

pub(super) fn tokens(ask: &Ask<'_>) -> Result<Value, OAuthError> {
    let (state, client) = (ask.state, &*ask.client);
    if client.is_public() {
        return Err(OAuthError::new(
            "unauthorized_client",
            "client credentials need a secret or a key",
        ));
    }
    let (audience, scope) = (
        ask.params.audience(state, client)?,
        ask.params.scope(state, client, &ssf::SCOPES)?,
    );
    let builder = TokenBuilder::for_client(state, client)
        .audience(&audience)
        .scope(&scope)
        .bound(ask.binding.cnf());
    let token = state
        .flaws
        .on(Kind::Access, builder.by("client_credentials"))
        .issue();
    Ok(ask.answer(&token, &scope))
}
