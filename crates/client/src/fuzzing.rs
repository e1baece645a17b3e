//! A doorway for the fuzz targets: bytes in, plain results out. It is no part of the API.
//!
//! It is there with the feature `fuzzing` only. See
//! `docs/decisions/0084-a-doorway-for-fuzz-targets.md`.

use crate::error::Error;
use crate::request::TokenRequest;
use crate::response;
use crate::token::{TokenKind, TokenResponse};
use portcullis_core::Limits;
use portcullis_core::token::NumericDate;
use portcullis_provider::client_auth::Secret;
use portcullis_provider::fetch::EndpointResponse;
use url::Url;

/// The tokens of an answer to a request with this scope, and the ID token before it is verified.
///
/// # Errors
///
/// What a caller is told.
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
    let content_type = content_type.to_owned();
    let body = body.to_vec().into();
    let answered = EndpointResponse {
        status,
        content_type,
        retry_after: None,
        dpop_nonce: None,
        body,
    };
    let document = response::document(&url, &answered, &Limits::default())?;
    let granted = response::tokens(&document, &TokenRequest::new().scope(scope), kind, asked_at)?;
    Ok((granted.tokens, granted.id_token))
}

/// The code of a callback, and whether it is of the flow with this state. `named` says that the
/// provider always names itself.
///
/// # Errors
///
/// What a caller is told.
pub fn callback(
    query: &str,
    state: &Secret,
    issuer: &str,
    named: bool,
) -> Result<(Secret, bool), Error> {
    crate::code::read(query, state, issuer, named)
}
