//! The endpoints.

mod assertion;
mod authentication;
mod authorize;
mod caller;
mod dev;
pub(crate) mod device;
mod discovery;
mod dpop;
mod error;
mod fault;
mod grant;
mod graph;
mod introspect;
mod login;
mod params;
mod pushed;
mod request;
mod revoke;
mod tokeninfo;
mod userinfo;

use crate::config::User;
use crate::dialect::Published;
use crate::mint::TokenBuilder;
use crate::state::State;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Router, extract};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The client for whom users' tokens are, where no flow says another.
pub(crate) const USERS_CLIENT: &str = "web";

/// Every endpoint at an address that is the same in all dialects, and at the imitated provider's besides.
pub(crate) fn router(state: Arc<State>) -> Router {
    let mut routes = BTreeMap::from([
        ("/authorize".to_owned(), get(authorize::show).post(authorize::sign_in)),
        ("/token".to_owned(), post(grant::token)),
        ("/userinfo".to_owned(), get(userinfo::userinfo).post(userinfo::userinfo)),
        ("/introspect".to_owned(), post(introspect::introspect)),
        ("/revoke".to_owned(), post(revoke::revoke)),
        ("/par".to_owned(), post(pushed::push)),
        ("/device_authorization".to_owned(), post(device::begin)),
        ("/device".to_owned(), get(device::show).post(device::decide)),
        ("/dev/device".to_owned(), post(device::decide_on_command)),
        ("/dev/token".to_owned(), post(dev::token)),
        ("/dev/rotate".to_owned(), post(dev::rotate)),
    ]);
    routes.extend(theirs(&state));
    let router = routes.into_iter().fold(Router::new(), |router, (path, route)| router.route(&path, route));
    router.layer(middleware::from_fn_with_state(Arc::clone(&state), only_our_host)).with_state(state)
}

type Route = (String, MethodRouter<Arc<State>>);

fn theirs(state: &State) -> Vec<Route> {
    let endpoints = state.endpoints.clone();
    let mut routes: Vec<Route> = [
        (endpoints.authorize, get(authorize::show).post(authorize::sign_in)),
        (endpoints.token, post(grant::token)),
        (endpoints.userinfo, get(userinfo::userinfo).post(userinfo::userinfo)),
        (endpoints.introspect, post(introspect::introspect_as_theirs)),
        (endpoints.revoke, post(revoke::revoke)),
    ]
    .into_iter()
    .filter_map(|(path, route)| Some((path?, route)))
    .collect();
    for published in &state.published {
        for path in &published.metadata {
            routes.push((path.clone(), document(published, Document::Metadata)));
        }
        routes.push((published.keys.clone(), document(published, Document::Keys)));
    }
    if state.shape.has_graph() {
        let path = "/graph/v1.0/users/{oid}/getMemberObjects".to_owned();
        routes.push((path, get(graph::member_objects).post(graph::member_objects)));
    }
    if state.shape.has_tokeninfo() {
        routes.push(("/tokeninfo".to_owned(), get(tokeninfo::tokeninfo)));
    }
    routes
}

#[derive(Clone, Copy)]
enum Document {
    Metadata,
    Keys,
}

fn document(published: &Published, which: Document) -> MethodRouter<Arc<State>> {
    let published = published.clone();
    get(async move |extract::State(state): extract::State<Arc<State>>, uri: Uri, headers: HeaderMap| {
        match which {
            Document::Metadata => discovery::metadata(&state, &published, &headers, &uri).await,
            Document::Keys => discovery::jwks(&state, &published, &headers, &uri).await,
        }
    })
}

/// A token for a user or a client, whichever has that name.
pub(crate) fn token_for(state: &Arc<State>, name: &str) -> TokenBuilder {
    match (state.user(name), state.clients.configured(name)) {
        (Some(user), _) => TokenBuilder::for_user(state, user, USERS_CLIENT),
        (None, Some(client)) => TokenBuilder::for_client(state, &client),
        (None, None) => TokenBuilder::for_user(state, &User::unknown(name), USERS_CLIENT),
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
