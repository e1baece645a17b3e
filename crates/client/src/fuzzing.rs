//! Entry points for the fuzz targets: bytes in, plain results out. They are not part of the API.
//!
//! Only the feature `fuzzing` has them. See `docs/decisions/0084-a-doorway-for-fuzz-targets.md`.

use crate::error::Error;
use crate::request::TokenRequest;
use crate::response;
use crate::token::{TokenKind, TokenResponse};
use portcullis_core::Limits;
use portcullis_core::token::NumericDate;
use portcullis_provider::client_auth::Secret;
use portcullis_provider::fetch::EndpointResponse;
use url::Url;

/// The tokens of a response to a request with this scope, and the unverified ID token.
///
/// # Errors
///
/// The error that a caller gets.
pub fn tokens(
    status: u16,
    content_type: &str,
    body: &[u8],
    scope: &str,
    kind: TokenKind,
    asked_at: NumericDate,
) -> Result<(TokenResponse, Option<Secret>), Error> {
    let url = Url::parse("https://idp.example/token")
        .map_err(|_| Error::untrusted_response("the address"))?;
    let response = EndpointResponse {
        status,
        content_type: content_type.to_owned(),
        retry_after: None,
        dpop_nonce: None,
        body: body.to_vec().into(),
    };
    let document = response::document(&url, &response, &Limits::default())?;
    let granted = response::tokens(&document, &TokenRequest::new().scope(scope), kind, asked_at)?;
    Ok((granted.tokens, granted.id_token))
}

/// The code of a callback, and whether the callback belongs to the flow with this state. `named`
/// means that the provider always sends `iss`.
///
/// # Errors
///
/// The error that a caller gets.
pub fn callback(
    query: &str,
    state: &Secret,
    issuer: &str,
    named: bool,
) -> Result<(Secret, bool), Error> {
    crate::code::read(query, state, issuer, named)
}
