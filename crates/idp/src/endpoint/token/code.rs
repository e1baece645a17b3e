//! The authorization code (RFC 6749, section 4.1.3), with PKCE (RFC 7636).

use crate::endpoint::http::error::{OAuthError, printable};
use crate::endpoint::token::request::GrantRequest;
use crate::token::encoding::sha256;
use aws_lc_rs::constant_time;
use serde_json::Value;

pub(crate) fn tokens(ask: &GrantRequest<'_>) -> Result<Value, OAuthError> {
    let (code, verifier) = (ask.params.need("code")?, ask.params.find("code_verifier"));
    // Only such a client can have a code without a challenge.
    if verifier.is_none() && !ask.client.danger_no_pkce {
        ask.params.need("code_verifier")?;
    }
    let redirect_uri = ask.params.need("redirect_uri")?;
    // Used up before the checks, so that nobody gets a second guess at the verifier.
    let redeemed = ask.state.store().redeem(code, ask.state.now());
    let code = redeemed.map_err(|error| OAuthError::invalid_grant(&error.sentence("code")))?;
    // A real provider says nothing to whoever guesses. Here the developer has to find the mistake.
    if code.grant.client != ask.client.id {
        return Err(mismatch("client_id", &code.grant.client, &ask.client.id));
    }
    if code.redirect_uri != redirect_uri {
        return Err(mismatch("redirect_uri", &code.redirect_uri, redirect_uri));
    }
    check_verifier(code.challenge.as_deref(), verifier)?;
    // The code alone must not be enough where the client named its key (RFC 9449, section 10).
    if code.grant.jkt.is_some() && code.grant.jkt != ask.binding.jkt {
        return Err(OAuthError::invalid_grant(
            "the code is bound to another key than the proof's",
        ));
    }
    ask.tokens_of_user(&code.grant, &code.grant.scope)
}

/// The proof of PKCE (RFC 7636, section 4.6).
fn check_verifier(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), OAuthError> {
    const NAME: &str = "SHA-256 of `code_verifier`";
    match (challenge, verifier) {
        (None, None) => Ok(()),
        // An attacker may have taken the challenge out (RFC 9700, section 4.8.2).
        (None, Some(_)) => Err(OAuthError::invalid_grant(
            "`code_verifier`: expected none, because the authorization request had no \
             `code_challenge`",
        )),
        (Some(challenge), None) => Err(mismatch(NAME, challenge, "none")),
        (Some(challenge), Some(verifier)) => {
            let found = sha256(verifier.as_bytes());
            let (known, shown) = (challenge.as_bytes(), found.as_bytes());
            constant_time::verify_slices_are_equal(known, shown)
                .map_err(|_| mismatch(NAME, challenge, &found))
        }
    }
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
