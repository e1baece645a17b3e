//! Entra ID's way to exchange tokens: on behalf of a user, an API asks for a token for the next
//! one.
//!
//! It looks like RFC 7523, section 2.1, but the assertion is the access token that the API was
//! called with.

use crate::endpoint::http::error::OAuthError;
use crate::endpoint::token::exchange::{access_token, for_subject};
use crate::endpoint::token::grant_types::JWT_BEARER;
use crate::endpoint::token::request::Ask;
use serde_json::Value;

pub(crate) fn tokens(ask: &Ask<'_>) -> Result<Value, OAuthError> {
    if ask.client.is_public() {
        return Err(OAuthError::invalid_client());
    }
    if ask.params.need("requested_token_use")? != "on_behalf_of" {
        return Err(OAuthError::invalid_request(
            "`requested_token_use` must be `on_behalf_of`",
        ));
    }
    let wrong = OAuthError::invalid_grant(
        "the assertion is unknown, expired, revoked, or not about a user",
    );
    let subject = access_token(ask, ask.params.need("assertion")?).ok_or(wrong)?;
    for_subject(ask, &subject, None, (ask.state.format(), JWT_BEARER)).map_err(|error| match error
        .error
    {
        "invalid_request" => {
            OAuthError::invalid_grant("an application's token is on nobody's behalf")
        }
        _ => error,
    })
}
