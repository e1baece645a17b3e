//! The endpoints.

mod authorize;
mod dev;
mod discovery;
mod error;
mod introspect;
mod login;
mod params;
mod revoke;
mod token;
mod userinfo;

use crate::config::{Secret, User};
use crate::mint::TokenBuilder;
use crate::state::State;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, extract};
use std::sync::Arc;

pub(crate) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::metadata))
        .route("/.well-known/oauth-authorization-server", get(discovery::metadata))
        .route("/jwks", get(discovery::jwks))
        .route("/authorize", get(authorize::show).post(authorize::sign_in))
        .route("/token", post(token::token))
        .route("/userinfo", get(userinfo::userinfo).post(userinfo::userinfo))
        .route("/introspect", post(introspect::introspect))
        .route("/revoke", post(revoke::revoke))
        .route("/dev/token", post(dev::token))
        .route("/dev/rotate", post(dev::rotate))
        .layer(middleware::from_fn_with_state(Arc::clone(&state), only_our_host))
        .with_state(state)
}

/// A token for a user or a client, whichever has that name.
pub(crate) fn token_for(state: &State, name: &str) -> TokenBuilder {
    match (state.user(name), state.client(name)) {
        (Some(user), _) => TokenBuilder::for_user(state, user, "web"),
        (None, Some(client)) => TokenBuilder::for_client(state, client),
        (None, None) => {
            let username = name.to_owned();
            let (password, name) = (Secret::new(""), username.clone());
            let user =
                User { username, password, id: None, name, email: None, roles: Vec::new(), tenant: None };
            TokenBuilder::for_user(state, &user, "web")
        }
    }
}

/// Refuses requests for other hosts: a web page whose name was rebound to loopback gets nothing here.
async fn only_our_host(
    extract::State(state): extract::State<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    if state.config.danger_listen_anywhere || is_our_host(&state, request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, "this development identity provider answers on loopback only\n")
        .into_response()
}

fn is_our_host(state: &State, headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let url = url::Url::parse(&format!("http://{host}/")).ok();
    let loopback = url
        .as_ref()
        .and_then(|url| url.host_str())
        .is_some_and(portcullis_core::token::issuer::is_loopback_host);
    loopback
        || url::Url::parse(state.issuer.as_str())
            .is_ok_and(|issuer| issuer.host_str() == url.as_ref().and_then(|url| url.host_str()))
}
