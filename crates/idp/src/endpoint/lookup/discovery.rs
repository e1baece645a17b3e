//! Metadata (RFC 8414, OpenID Connect Discovery 1.0) and the key set (RFC 7517).

use crate::dialect::shape::Published;
use crate::state::State;
use crate::token::claims::{Claims, claims};
use crate::token::encoding::encoded;
use aws_lc_rs::digest;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

pub(crate) fn metadata(state: &State, published: &Published, headers: &HeaderMap) -> Response {
    answer(document(state, published), headers)
}

pub(crate) fn jwks(state: &State, published: &Published, headers: &HeaderMap) -> Response {
    answer(state.jwks_in(published), headers)
}

fn document(state: &State, published: &Published) -> Claims {
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

/// What a provider says that has a token endpoint.
fn for_clients(state: &State, algorithm: &str) -> Claims {
    let url = |path: &Option<String>| path.as_ref().map(|path| state.url(path));
    let (endpoints, mutual) = (&state.endpoints, state.tls.is_some());
    let mut authentication = vec![
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ];
    if mutual {
        authentication.extend(["tls_client_auth", "self_signed_tls_client_auth"]);
    }
    let introspect = url(&endpoints.introspect);
    claims(json!({
        "authorization_endpoint": url(&endpoints.authorize),
        "token_endpoint": url(&endpoints.token),
        "userinfo_endpoint": url(&endpoints.userinfo),
        "device_authorization_endpoint": state.url("/device_authorization"),
        "pushed_authorization_request_endpoint": state.url("/par"),
        "require_pushed_authorization_requests": false,
        "dpop_signing_alg_values_supported": crate::token::jws::ALGORITHMS,
        "registration_endpoint": state.config.dynamic_registration.then(|| state.url("/register")),
        "end_session_endpoint": state.url("/logout"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "prompt_values_supported": ["none", "login"],
        "tls_client_certificate_bound_access_tokens": mutual.then_some(true),
        "mtls_endpoint_aliases": aliases(state),
        "revocation_endpoint": url(&endpoints.revoke),
        "introspection_endpoint_auth_methods_supported": introspect.as_ref().map(
            |_| authentication.clone()
        ),
        "introspection_signing_alg_values_supported": introspect.as_ref().map(|_| [algorithm]),
        "introspection_endpoint": introspect,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": crate::endpoint::token::grant_types::types(state),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ([&authentication[..], &["none"]].concat()),
        "token_endpoint_auth_signing_alg_values_supported": crate::token::jws::ALGORITHMS,
        "scopes_supported": scopes(state),
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    }))
}

/// Where clients with certificates find the endpoints (RFC 8705, section 5).
fn aliases(state: &State) -> Option<Claims> {
    let (base, endpoints) = (state.mtls_base.as_ref()?, &state.endpoints);
    let at = |path: &str| format!("{base}{path}");
    let theirs = |path: &Option<String>| path.as_ref().map(|path| at(path));
    Some(claims(json!({
        "token_endpoint": theirs(&endpoints.token),
        "userinfo_endpoint": theirs(&endpoints.userinfo),
        "introspection_endpoint": theirs(&endpoints.introspect),
        "revocation_endpoint": theirs(&endpoints.revoke),
        "pushed_authorization_request_endpoint": at("/par"),
        "device_authorization_endpoint": at("/device_authorization"),
    })))
}

fn scopes(state: &State) -> Vec<String> {
    let mut scopes = ["openid", "profile", "email", "offline_access"]
        .map(str::to_owned)
        .to_vec();
    for scope in state.clients.all().iter().flat_map(|client| &client.scopes) {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    scopes
}

fn answer(document: Claims, headers: &HeaderMap) -> Response {
    let text = Value::from(document).to_string();
    let etag = format!(
        "\"{}\"",
        encoded(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
    );
    let caching = [
        (CACHE_CONTROL, "public, max-age=300".to_owned()),
        (ETAG, etag.clone()),
    ];
    if headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes())
    {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, "application/json")], text).into_response()
}
