//! Clients that authenticate by a signed assertion (RFC 7523, section 3): `private_key_jwt`.
//!
//! The signature must be by a key in the client's settings; the assertion must be for this
//! provider, last an hour at most, and be used once.

use crate::config::client::RegisteredClient;
use crate::endpoint::http::error::OAuthError;
use crate::state::IdpState;
use crate::token::jws::Jws;
use serde_json::Value;
use std::sync::Arc;

/// What `client_assertion_type` must be.
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const LONGEST_LIFE: u64 = 3_600;

const LEEWAY: u64 = 60;

/// What is told about an assertion that fails.
const REFUSED: &str = "`client_assertion`: expected a JWT with `iss` and `sub` of a client, `aud` \
    of this provider, `exp` within an hour and an unused `jti`, signed by the client's `jwk`";

/// The client that an assertion authenticates.
pub(crate) fn client(
    state: &IdpState,
    assertion: &str,
) -> Result<Arc<RegisteredClient>, OAuthError> {
    authenticate(state, assertion).ok_or_else(|| OAuthError::invalid_client(REFUSED))
}

fn authenticate(state: &IdpState, assertion: &str) -> Option<Arc<RegisteredClient>> {
    let assertion = Jws::read(assertion)?;
    let sub = assertion.text("sub")?;
    if assertion.text("iss") != Some(sub) {
        return None;
    }
    let client = state.client(sub)?;
    let signed = client.keys().any(|jwk| assertion.is_signed_by(jwk));
    let current = is_current(&assertion, state.now())?;
    if !signed || !current || !is_for_us(state, assertion.claims.get("aud")?) {
        return None;
    }
    // Last, so that an assertion that fails another check is not used up.
    let name = format!("assertion {} {}", client.id, assertion.text("jti")?);
    let (expires, now) = (assertion.time("exp")?, state.now());
    state
        .store()
        .is_first_use(&name, expires, now)
        .then_some(client)
}

fn is_current(assertion: &Jws<'_>, now: u64) -> Option<bool> {
    let expires = assertion.time("exp")?;
    let begins = assertion
        .time("nbf")
        .max(assertion.time("iat"))
        .unwrap_or(0);
    // A short life bounds how long used assertions have to be remembered.
    Some(begins <= now + LEEWAY && now < expires && expires <= now + LONGEST_LIFE + LEEWAY)
}

/// The issuer, or one of the endpoints: clients differ in what they write (RFC 7523, section 3).
fn is_for_us(state: &IdpState, audience: &Value) -> bool {
    let mut ours = vec![state.issuer.to_string()];
    let endpoints = &state.endpoints;
    let theirs = [&endpoints.token, &endpoints.introspect, &endpoints.revoke];
    for path in theirs.into_iter().flatten() {
        ours.extend(state.urls(path));
    }
    for path in [
        "/token",
        "/introspect",
        "/revoke",
        "/par",
        "/device_authorization",
    ] {
        ours.extend(state.urls(path));
    }
    match audience {
        Value::String(audience) => ours.contains(audience),
        Value::Array(all) => all
            .iter()
            .filter_map(Value::as_str)
            .any(|audience| ours.iter().any(|our| our == audience)),
        _ => false,
    }
}
