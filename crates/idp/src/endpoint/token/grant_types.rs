//! The grant types, by their names in requests.

use crate::state::IdpState;

/// The grants, by their names in requests.
pub(crate) fn types(state: &IdpState) -> Vec<&'static str> {
    let mut types = vec![
        "authorization_code",
        "client_credentials",
        "refresh_token",
        DEVICE_CODE,
        TOKEN_EXCHANGE,
    ];
    // On-behalf-of exists with Entra ID only.
    types.extend(state.shape.has_graph().then_some(JWT_BEARER));
    types
}

pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
