//! The authorization code (RFC 6749, section 4.1.3), with PKCE (RFC 7636).

use crate::endpoint::http::error::{OAuthError, printable};
use crate::endpoint::token::request::GrantRequest;
use crate::token::encoding::sha256;
use aws_lc_rs::constant_time;
use serde_json::Value;

pub(crate) fn tokens(ask: &GrantRequest<'_>) -> Result<Value, OAuthError> {
    let (code, verifier) = (ask.params.need("code")?, ask.params.need("code_verifier")?);
    let redirect_uri = ask.params.need("redirect_uri")?;
    // Used up before the checks, so that nobody gets a second guess at the verifier.
    let redeemed = ask.state.store().redeem(code, ask.state.now());
    let Some(code) = redeemed else {
        return Err(unknown());
    };
    let challenge = sha256(verifier.as_bytes());
    let proven =
        constant_time::verify_slices_are_equal(challenge.as_bytes(), code.challenge.as_bytes())
            .is_ok();
    // A real provider says nothing to whoever guesses. Here the developer has to find the mistake.
    if code.grant.client != ask.client.id {
        return Err(mismatch("client_id", &code.grant.client, &ask.client.id));
    }
    if code.redirect_uri != redirect_uri {
        return Err(mismatch("redirect_uri", &code.redirect_uri, redirect_uri));
    }
    if !proven {
        return Err(mismatch(
            "SHA-256 of `code_verifier`",
            &code.challenge,
            &challenge,
        ));
    }
    // The code alone must not be enough where the client named its key (RFC 9449, section 10).
    if code.grant.jkt.is_some() && code.grant.jkt != ask.binding.jkt {
        return Err(OAuthError::invalid_grant(
            "the code is bound to another key than the proof's",
        ));
    }
    ask.tokens_of_user(&code.grant, &code.grant.scope)
}

fn unknown() -> OAuthError {
    OAuthError::invalid_grant("the code is unknown, expired or used")
}

/// The request differs from the one that the code was issued for.
fn mismatch(member: &str, expected: &str, found: &str) -> OAuthError {
    let name = match member.contains('`') {
        true => member.to_owned(),
        false => format!("`{member}`"),
    };
    OAuthError::invalid_grant(&format!(
        "{name}: expected `{}`, as in the authorization request, found `{}`",
        printable(expected),
        printable(found)
    ))
}
