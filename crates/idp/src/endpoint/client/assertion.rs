//! Clients that authenticate by a signed assertion (RFC 7523, section 3): `private_key_jwt`.
//!
//! The signature must be by a key in the client's settings; the assertion must be for this
//! provider, last an hour at most, and be used once.

use crate::config::client::Client;
use crate::endpoint::http::error::OAuthError;
use crate::state::State;
use crate::token::jws::Jws;
use serde_json::Value;
use std::sync::Arc;

/// What `client_assertion_type` must be.
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const LONGEST_LIFE: u64 = 3_600;

const LEEWAY: u64 = 60;

/// The client that an assertion proves.
pub(crate) fn client(state: &State, assertion: &str) -> Result<Arc<Client>, OAuthError> {
    proven(state, assertion).ok_or_else(OAuthError::invalid_client)
}

fn proven(state: &State, assertion: &str) -> Option<Arc<Client>> {
    let assertion = Jws::read(assertion)?;
    let sub = assertion
        .text("sub")
        .filter(|sub| assertion.text("iss") == Some(sub))?;
    let client = state.client(sub)?;
    let signed = client.keys().any(|jwk| assertion.is_signed_by(jwk));
    let (now, expires) = (state.now(), assertion.time("exp")?);
    let begun = ["nbf", "iat"]
        .into_iter()
        .filter_map(|name| assertion.time(name));
    let begun = begun.fold(0, u64::max) <= now + LEEWAY;
    let timely = begun && now < expires && expires <= now + LONGEST_LIFE + LEEWAY;
    let ours = is_for_us(state, assertion.claims.get("aud")?);
    let first = || {
        let jti = assertion.text("jti")?;
        Some(
            state
                .store()
                .is_first_use(&format!("assertion {} {jti}", client.id), expires, now),
        )
    };
    (signed && timely && ours && first() == Some(true)).then_some(client)
}

/// The issuer, or one of the endpoints: clients differ in what they write (RFC 7523, section 3).
fn is_for_us(state: &State, audience: &Value) -> bool {
    let endpoints = &state.endpoints;
    let theirs = [&endpoints.token, &endpoints.introspect, &endpoints.revoke]
        .into_iter()
        .flatten();
    let same_everywhere = [
        "/token",
        "/introspect",
        "/revoke",
        "/par",
        "/device_authorization",
    ];
    let paths = theirs.map(String::as_str).chain(same_everywhere);
    let ours: Vec<String> = paths
        .flat_map(|path| state.urls(path))
        .chain([state.issuer.to_string()])
        .collect();
    let is_ours = |value: &Value| {
        value
            .as_str()
            .is_some_and(|audience| ours.iter().any(|our| our == audience))
    };
    is_ours(audience)
        || audience
            .as_array()
            .is_some_and(|all| all.iter().any(is_ours))
}
