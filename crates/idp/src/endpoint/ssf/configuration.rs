//! The transmitter's metadata (SSF 1.0, section 6).

use crate::endpoint::ssf::request::{POLL, PUSH};
use crate::state::IdpState;
use crate::token::claims::claims;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use std::sync::Arc;

/// The metadata (section 6).
pub(crate) async fn configuration(State(state): State<Arc<IdpState>>) -> Response {
    let keys = state
        .documents
        .first()
        .map(|first| state.url(&first.keys));
    let document = claims(json!({
        "spec_version": "1_0",
        "issuer": state.issuer.as_str(),
        "jwks_uri": keys,
        "delivery_methods_supported": [PUSH, POLL],
        "configuration_endpoint": state.url("/ssf/streams"),
        "status_endpoint": state.url("/ssf/status"),
        "add_subject_endpoint": state.url("/ssf/subjects/add"),
        "remove_subject_endpoint": state.url("/ssf/subjects/remove"),
        "verification_endpoint": state.url("/ssf/verify"),
        "authorization_schemes": [{ "spec_urn": "urn:ietf:rfc:6749" }],
        "default_subjects": "ALL",
    }));
    Json(document).into_response()
}

/// Where the metadata is: the well-known part stands before the issuer's path.
pub(crate) fn configuration_paths(state: &IdpState) -> Vec<String> {
    let root = "/.well-known/ssf-configuration".to_owned();
    let path = state
        .issuer
        .as_str()
        .strip_prefix(&state.base)
        .unwrap_or_default()
        .trim_end_matches('/');
    // The path of the issuer goes behind the well-known part (SSF 1.0, section 6).
    if path.is_empty() {
        vec![root]
    } else {
        vec![format!("{root}{path}"), root]
    }
}
