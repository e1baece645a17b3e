//! The on-behalf-of flow of Entra ID: an API exchanges a user's token for one of the next API.
//!
//! It looks like RFC 7523, section 2.1, but the assertion is the access token of the API's own
//! caller.

use crate::endpoint::http::error::OAuthError;
use crate::endpoint::token::exchange::{access_token, for_subject};
use crate::endpoint::token::grant_types::JWT_BEARER;
use crate::endpoint::token::request::GrantRequest;
use serde_json::Value;

pub(crate) fn tokens(ask: &GrantRequest<'_>) -> Result<Value, OAuthError> {
    if ask.client.is_public() {
        return Err(OAuthError::invalid_client(
            "on-behalf-of needs a client with a secret, a key or a certificate",
        ));
    }
    if ask.params.need("requested_token_use")? != "on_behalf_of" {
        return Err(OAuthError::invalid_request(
            "`requested_token_use` must be `on_behalf_of`",
        ));
    }
    let Some(subject) = access_token(ask, ask.params.need("assertion")?) else {
        return Err(OAuthError::invalid_grant(
            "the assertion is unknown, expired, revoked, or not about a user",
        ));
    };
    match for_subject(ask, &subject, None, (ask.state.format(), JWT_BEARER)) {
        // Entra ID calls a bad assertion a bad grant, where token exchange calls it a bad request.
        Err(error) if error.error == "invalid_request" => Err(OAuthError::invalid_grant(
            "an application's token is not on behalf of a user",
        )),
        other => other,
    }
}
