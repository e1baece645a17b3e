//! The endpoints, and which address leads to which.

pub(crate) mod authorize;
pub(crate) mod client;
pub(crate) mod console;
pub(crate) mod dev;
pub(crate) mod gate;
pub(crate) mod http;
pub(crate) mod lookup;
pub(crate) mod register;
pub(crate) mod session;
pub(crate) mod ssf;
pub(crate) mod token;

use crate::dialect::shape::IssuerDocuments;
use crate::endpoint::authorize::{code, device, pushed};
use crate::endpoint::console::trial::send::EndpointRouter;
use crate::endpoint::dev::{event, stream as dev_stream, switches};
use crate::endpoint::gate::clock::set_date;
use crate::endpoint::gate::fault::with_switch;
use crate::endpoint::gate::host::only_our_host;
use crate::endpoint::gate::{cors, journal, own_pages};
use crate::endpoint::lookup::{discovery, graph, introspect, tokeninfo, userinfo};
use crate::endpoint::session::logout;
use crate::endpoint::ssf::{configuration, poll, status, stream, subject};
use crate::endpoint::token::revoke;
use crate::fault::endpoint::Endpoint;
use crate::state::IdpState;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router, middleware};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest body that is read, in bytes.
const LONGEST: usize = 256 * 1024;

type PathRoutes = BTreeMap<String, MethodRouter<Arc<IdpState>>>;

/// Every endpoint, at an address that is the same in all dialects and at the imitated provider's.
pub(crate) fn router(state: &Arc<IdpState>) -> Router {
    let mut for_programs = the_same_everywhere(state);
    for_programs.extend(theirs(state));
    for_programs.extend(documents(state));
    for_programs.extend(streams(state));
    if state.config.dynamic_registration {
        for_programs.extend(registration());
    }
    // CORS covers no pages.
    let endpoints = build_router(for_programs)
        .layer(cors::layer(&state.config.cors_origins))
        .merge(build_router(for_people(state)))
        .merge(build_router(on_command()));
    if !state.config.console {
        return with_layers(state, endpoints);
    }
    // The console tries sign-ins at these very endpoints, with every layer. It does not have its
    // own pages in there, so nothing refers to itself.
    let own = EndpointRouter(with_layers(state, endpoints.clone()));
    let console = build_router(console::routes()).layer(Extension(own));
    with_layers(state, endpoints.merge(console))
}

/// Layers run from the last one to the first: a foreign host is refused before anything is kept,
/// and a foreign page's request is kept before it is refused.
fn with_layers(state: &Arc<IdpState>, router: Router<Arc<IdpState>>) -> Router {
    router
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(middleware::from_fn(own_pages::only))
        .layer(middleware::from_fn_with_state(
            Arc::clone(state),
            journal::keep,
        ))
        .layer(middleware::from_fn_with_state(Arc::clone(state), set_date))
        .layer(middleware::from_fn_with_state(
            Arc::clone(state),
            only_our_host,
        ))
        .with_state(Arc::clone(state))
}

fn the_same_everywhere(state: &Arc<IdpState>) -> PathRoutes {
    let named =
        |path: &str, route, endpoint| (path.to_owned(), with_switch(route, state, endpoint));
    BTreeMap::from([
        named("/token", post(token::token), Endpoint::Token),
        named(
            "/userinfo",
            get(userinfo::userinfo).post(userinfo::userinfo),
            Endpoint::UserInfo,
        ),
        named(
            "/introspect",
            post(introspect::introspect),
            Endpoint::Introspection,
        ),
        named("/revoke", post(revoke::revoke), Endpoint::Revocation),
        named("/par", post(pushed::push), Endpoint::PushedRequests),
        named(
            "/device_authorization",
            post(device::begin),
            Endpoint::DeviceAuthorization,
        ),
    ])
}

fn registration() -> PathRoutes {
    let manage = get(register::manage)
        .put(register::manage)
        .delete(register::manage);
    PathRoutes::from([
        ("/register".to_owned(), post(register::register)),
        ("/register/{id}".to_owned(), manage),
    ])
}

/// Security events.
fn streams(state: &IdpState) -> PathRoutes {
    let stream = post(stream::create)
        .get(stream::read)
        .patch(stream::change)
        .put(stream::change)
        .delete(stream::remove);
    let mut routes = PathRoutes::from([
        ("/ssf/streams".to_owned(), stream),
        (
            "/ssf/status".to_owned(),
            get(status::read_status).post(status::set_status),
        ),
        ("/ssf/subjects/add".to_owned(), post(subject::add_subject)),
        (
            "/ssf/subjects/remove".to_owned(),
            post(subject::remove_subject),
        ),
        ("/ssf/verify".to_owned(), post(subject::verify)),
        ("/ssf/poll/{id}".to_owned(), post(poll::poll)),
    ]);
    for path in configuration::configuration_paths(state) {
        routes.insert(path, get(configuration::configuration));
    }
    routes
}

/// The pages.
fn for_people(state: &Arc<IdpState>) -> PathRoutes {
    let device = get(device::show).post(device::decide);
    let logout = get(logout::logout).post(logout::logout);
    let mut routes = PathRoutes::from([
        ("/authorize".to_owned(), authorization(state)),
        ("/device".to_owned(), device),
        ("/logout".to_owned(), logout),
    ]);
    if let Some(path) = &state.endpoints.authorize {
        routes.insert(path.clone(), authorization(state));
    }
    routes
}

fn authorization(state: &Arc<IdpState>) -> MethodRouter<Arc<IdpState>> {
    let route = get(code::show).post(code::sign_in);
    with_switch(route, state, Endpoint::Authorize)
}

/// The commands that no provider has.
fn on_command() -> PathRoutes {
    PathRoutes::from([
        ("/health".to_owned(), get(async || "alive\n")),
        ("/dev/device".to_owned(), post(device::decide_on_command)),
        ("/dev/token".to_owned(), post(dev::token)),
        ("/dev/logout".to_owned(), post(dev::logout)),
        ("/dev/event".to_owned(), get(event::list).post(event::send)),
        (
            "/dev/stream".to_owned(),
            get(dev_stream::list).post(dev_stream::set),
        ),
        ("/dev/rotate".to_owned(), post(dev::rotate)),
        (
            "/dev/faults".to_owned(),
            get(switches::show).post(switches::set),
        ),
    ])
}

/// The imitated provider's own addresses.
fn theirs(state: &Arc<IdpState>) -> PathRoutes {
    let endpoints = state.endpoints.clone();
    let routes = [
        (endpoints.token, post(token::token), Endpoint::Token),
        (
            endpoints.userinfo,
            get(userinfo::userinfo).post(userinfo::userinfo),
            Endpoint::UserInfo,
        ),
        (
            endpoints.introspect,
            post(introspect::introspect_as_theirs),
            Endpoint::Introspection,
        ),
        (endpoints.revoke, post(revoke::revoke), Endpoint::Revocation),
    ];
    let named = |(path, route, endpoint)| Some((path?, with_switch(route, state, endpoint)));
    let mut routes: PathRoutes = routes.into_iter().filter_map(named).collect();
    if state.shape.has_graph() {
        let route = get(graph::member_objects).post(graph::member_objects);
        let path = "/graph/v1.0/users/{oid}/getMemberObjects".to_owned();
        routes.insert(path, with_switch(route, state, Endpoint::Graph));
    }
    if state.shape.has_tokeninfo() {
        let route = with_switch(get(tokeninfo::tokeninfo), state, Endpoint::Introspection);
        routes.insert("/tokeninfo".to_owned(), route);
    }
    routes
}

fn documents(state: &Arc<IdpState>) -> PathRoutes {
    let mut routes = PathRoutes::new();
    for published in &state.documents {
        for path in &published.metadata {
            routes.insert(path.clone(), document(state, published, Endpoint::Metadata));
        }
        routes.insert(
            published.keys.clone(),
            document(state, published, Endpoint::Jwks),
        );
    }
    routes
}

fn document(
    state: &Arc<IdpState>,
    published: &IssuerDocuments,
    which: Endpoint,
) -> MethodRouter<Arc<IdpState>> {
    let published = published.clone();
    let route = get(
        async move |State(state): State<Arc<IdpState>>, headers| match which {
            // Two kinds of document share one handler, and are switched apart.
            Endpoint::Jwks => discovery::jwks(&state, &published, &headers),
            _ => discovery::metadata(&state, &published, &headers),
        },
    );
    with_switch(route, state, which)
}

fn build_router(routes: PathRoutes) -> Router<Arc<IdpState>> {
    let mut router = Router::new();
    for (path, route) in routes {
        router = router.route(&path, route);
    }
    router
}
