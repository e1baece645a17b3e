//! Metadata (RFC 8414, OpenID Connect Discovery 1.0) and the key set (RFC 7517).

use crate::faults::Fault;
use crate::keys::encoded;
use crate::state::State;
use aws_lc_rs::digest;
use axum::extract;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn metadata(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
) -> Response {
    let fault = state.metadata.request();
    answer(fault, &document(&state), &headers).await
}

pub(super) async fn jwks(extract::State(state): extract::State<Arc<State>>, headers: HeaderMap) -> Response {
    let fault = state.jwks.request();
    answer(fault, &state.keys.jwks(), &headers).await
}

fn document(state: &State) -> Value {
    let algorithm = state.keys.signing().algorithm.name();
    let mut scopes: Vec<&str> = vec!["openid", "profile", "email", "offline_access"];
    scopes.extend(state.config.clients.iter().flat_map(|client| client.scopes.iter().map(String::as_str)));
    scopes.dedup();
    json!({
        "issuer": state.issuer.as_str(),
        "authorization_endpoint": state.url("/authorize"),
        "token_endpoint": state.url("/token"),
        "jwks_uri": state.url("/jwks"),
        "userinfo_endpoint": state.url("/userinfo"),
        "introspection_endpoint": state.url("/introspect"),
        "revocation_endpoint": state.url("/revoke"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm],
        "scopes_supported": scopes,
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
}

async fn answer(fault: Fault, document: &Value, headers: &HeaderMap) -> Response {
    let text = document.to_string();
    let json = [(CONTENT_TYPE, "application/json")];
    match fault {
        Fault::None => proper(text, headers),
        Fault::InternalError => (StatusCode::INTERNAL_SERVER_ERROR, "on command").into_response(),
        Fault::Html => {
            ([(CONTENT_TYPE, "text/html")], "<!doctype html><title>Sign in</title>").into_response()
        }
        Fault::Huge => (json, vec![b' '; 10_000_000]).into_response(),
        Fault::Redirect => (StatusCode::FOUND, [(LOCATION, "/jwks")]).into_response(),
        Fault::Hang => std::future::pending().await,
        Fault::Empty => (json, r#"{"keys":[]}"#).into_response(),
        Fault::Truncated => (json, text.chars().take(text.len() / 2).collect::<String>()).into_response(),
    }
}

fn proper(text: String, headers: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", encoded(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()));
    let caching = [(CACHE_CONTROL, "public, max-age=300".to_owned()), (ETAG, etag.clone())];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, "application/json")], text).into_response()
}
