//! Metadata (RFC 8414, OpenID Connect Discovery 1.0) and the key set (RFC 7517).

use crate::dialect::shape::IssuerDocuments;
use crate::endpoint::authorize::answer::ResponseMode;
use crate::endpoint::client::target::OPENID_SCOPES;
use crate::endpoint::http::header;
use crate::endpoint::token::grant_types;
use crate::state::IdpState;
use crate::token::claims::{JsonObject, claims};
use crate::token::encoding::sha256;
use crate::token::jws::ALGORITHMS;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

pub(crate) fn metadata(
    state: &IdpState,
    published: &IssuerDocuments,
    headers: &HeaderMap,
) -> Response {
    answer(document(state, published), headers)
}

pub(crate) fn jwks(state: &IdpState, published: &IssuerDocuments, headers: &HeaderMap) -> Response {
    answer(state.jwks_in(published), headers)
}

fn document(state: &IdpState, published: &IssuerDocuments) -> JsonObject {
    let algorithm = state.keys.signing().algorithm.name();
    // Where access tokens bear another name, the documents bear the one that they are found by.
    let issuer = match state.shape.access_token_issuer() {
        Some(_) => state.url(&published.issuer),
        None => state.issuer_in(published),
    };
    let mut document = claims(json!({
        "issuer": issuer,
        "jwks_uri": state.url(&published.keys),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm],
    }));
    // CI providers publish keys and metadata only.
    if state.endpoints.token.is_some() {
        document.extend(for_clients(state, algorithm));
    }
    if let Some(path) = state.shape.access_token_issuer() {
        document.insert("access_token_issuer".to_owned(), state.url(path).into());
    }
    for (name, value) in state.shape.metadata() {
        match value {
            Value::Null => _ = document.remove(name),
            value => _ = document.insert(name.to_owned(), value),
        }
    }
    document
}

/// The members that only a provider with a token endpoint has.
fn for_clients(state: &IdpState, algorithm: &str) -> JsonObject {
    let endpoints = &state.endpoints;
    let mutual = state.tls.is_some();
    let mut authentication = vec![
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ];
    if mutual {
        authentication.extend(["tls_client_auth", "self_signed_tls_client_auth"]);
    }
    let introspect = url(state, &endpoints.introspect);
    let introspects = introspect.is_some();
    let registration = state.url("/register");
    claims(json!({
        "authorization_endpoint": url(state, &endpoints.authorize),
        "token_endpoint": url(state, &endpoints.token),
        "userinfo_endpoint": url(state, &endpoints.userinfo),
        "device_authorization_endpoint": state.url("/device_authorization"),
        "pushed_authorization_request_endpoint": state.url("/par"),
        "require_pushed_authorization_requests": false,
        "dpop_signing_alg_values_supported": ALGORITHMS,
        "registration_endpoint": state.config.dynamic_registration.then_some(registration),
        "end_session_endpoint": state.url("/logout"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "prompt_values_supported": ["none", "login"],
        "tls_client_certificate_bound_access_tokens": mutual.then_some(true),
        "mtls_endpoint_aliases": aliases(state),
        "revocation_endpoint": url(state, &endpoints.revoke),
        "introspection_endpoint_auth_methods_supported":
            introspects.then_some(&authentication),
        "introspection_signing_alg_values_supported": introspects.then_some([algorithm]),
        "introspection_endpoint": introspect,
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::NAMES,
        "grant_types_supported": grant_types::types(state),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ([&authentication[..], &["none"]].concat()),
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "scopes_supported": scopes(state),
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    }))
}

fn url(state: &IdpState, path: &Option<String>) -> Option<String> {
    Some(state.url(path.as_ref()?))
}

/// The endpoints for clients with certificates (RFC 8705, section 5).
fn aliases(state: &IdpState) -> Option<JsonObject> {
    let (base, endpoints) = (state.mtls_base.as_ref()?, &state.endpoints);
    let mut aliases = claims(json!({
        "pushed_authorization_request_endpoint": format!("{base}/par"),
        "device_authorization_endpoint": format!("{base}/device_authorization"),
    }));
    for (name, path) in [
        ("token_endpoint", &endpoints.token),
        ("userinfo_endpoint", &endpoints.userinfo),
        ("introspection_endpoint", &endpoints.introspect),
        ("revocation_endpoint", &endpoints.revoke),
    ] {
        if let Some(path) = path {
            aliases.insert(name.to_owned(), format!("{base}{path}").into());
        }
    }
    Some(aliases)
}

fn scopes(state: &IdpState) -> Vec<String> {
    let mut scopes = OPENID_SCOPES.map(str::to_owned).to_vec();
    for client in state.clients.all() {
        for scope in &client.scopes {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
    }
    scopes
}

fn answer(document: JsonObject, headers: &HeaderMap) -> Response {
    let text = Value::from(document).to_string();
    let etag = format!("\"{}\"", sha256(text.as_bytes()));
    let caching = [
        (CACHE_CONTROL, "public, max-age=300".to_owned()),
        (ETAG, etag.clone()),
    ];
    // One ETag only, compared whole: real clients send back the one they were given.
    if header::text(headers, IF_NONE_MATCH) == etag {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, "application/json")], text).into_response()
}
