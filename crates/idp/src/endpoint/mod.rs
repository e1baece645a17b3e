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

use crate::dialect::shape::Published;
use crate::endpoint::authorize::{code, device, pushed};
use crate::endpoint::dev::switches;
use crate::endpoint::gate::clock::dated;
use crate::endpoint::gate::fault::switched;
use crate::endpoint::gate::host::only_our_host;
use crate::endpoint::gate::{cors, journal, own_pages};
use crate::endpoint::lookup::{discovery, graph, introspect, tokeninfo, userinfo};
use crate::endpoint::session::logout;
use crate::endpoint::ssf::{configuration, poll, stream};
use crate::endpoint::token::revoke;
use crate::fault::endpoint::Endpoint;
use crate::state::State;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};
use axum::{Router, extract, middleware};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest body that is read.
const LONGEST: usize = 256 * 1024;

type Routes = BTreeMap<String, MethodRouter<Arc<State>>>;

/// Every endpoint at an address that is the same in all dialects, and at the imitated provider's
/// besides.
pub(crate) fn router(state: &Arc<State>) -> Router {
    let mut for_programs = the_same_everywhere(state);
    for_programs.extend(theirs(state));
    for_programs.extend(documents(state));
    for_programs.extend(streams(state));
    if state.config.dynamic_registration {
        for_programs.extend(registration());
    }
    let for_programs = routed(for_programs).layer(cors::layer(&state.config.cors_origins));
    let shared = || Arc::clone(state);
    for_programs
        .merge(routed(for_people(state)))
        .merge(routed(on_command()))
        .merge(routed(if state.config.console {
            console::routes()
        } else {
            Routes::new()
        }))
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(middleware::from_fn(own_pages::only))
        .layer(middleware::from_fn_with_state(shared(), journal::keep))
        .layer(middleware::from_fn_with_state(shared(), dated))
        .layer(middleware::from_fn_with_state(shared(), only_our_host))
        .with_state(shared())
}

fn the_same_everywhere(state: &Arc<State>) -> Routes {
    let named = |path: &str, route, endpoint| (path.to_owned(), switched(route, state, endpoint));
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

fn registration() -> Routes {
    let manage = get(register::manage)
        .put(register::manage)
        .delete(register::manage);
    Routes::from([
        ("/register".to_owned(), post(register::register)),
        ("/register/{id}".to_owned(), manage),
    ])
}

/// Security events.
fn streams(state: &State) -> Routes {
    let stream = post(stream::create)
        .get(stream::read)
        .patch(stream::change)
        .put(stream::change)
        .delete(stream::remove);
    let mut routes = Routes::from([
        ("/ssf/streams".to_owned(), stream),
        (
            "/ssf/status".to_owned(),
            get(stream::read_status).post(stream::set_status),
        ),
        ("/ssf/subjects/add".to_owned(), post(stream::add_subject)),
        (
            "/ssf/subjects/remove".to_owned(),
            post(stream::remove_subject),
        ),
        ("/ssf/verify".to_owned(), post(stream::verify)),
        ("/ssf/poll/{id}".to_owned(), post(poll::poll)),
    ]);
    routes.extend(
        configuration::configuration_paths(state)
            .into_iter()
            .map(|path| (path, get(configuration::configuration))),
    );
    routes
}

/// What a person sees.
fn for_people(state: &Arc<State>) -> Routes {
    let signing_in = || {
        switched(
            get(code::show).post(code::sign_in),
            state,
            Endpoint::Authorize,
        )
    };
    let mut routes = Routes::from([
        ("/authorize".to_owned(), signing_in()),
        ("/device".to_owned(), get(device::show).post(device::decide)),
        (
            "/logout".to_owned(),
            get(logout::logout).post(logout::logout),
        ),
    ]);
    routes.extend(
        state
            .endpoints
            .authorize
            .clone()
            .map(|path| (path, signing_in())),
    );
    routes
}

/// What no provider has.
fn on_command() -> Routes {
    Routes::from([
        ("/health".to_owned(), get(async || "alive\n")),
        ("/dev/device".to_owned(), post(device::decide_on_command)),
        ("/dev/token".to_owned(), post(dev::token)),
        ("/dev/logout".to_owned(), post(dev::logout)),
        ("/dev/event".to_owned(), post(dev::event)),
        ("/dev/rotate".to_owned(), post(dev::rotate)),
        (
            "/dev/faults".to_owned(),
            get(switches::show).post(switches::set),
        ),
    ])
}

/// The imitated provider's own addresses.
fn theirs(state: &Arc<State>) -> Routes {
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
    let named = |(path, route, endpoint)| Some((path?, switched(route, state, endpoint)));
    let mut routes: Routes = routes.into_iter().filter_map(named).collect();
    if state.shape.has_graph() {
        let route = get(graph::member_objects).post(graph::member_objects);
        let path = "/graph/v1.0/users/{oid}/getMemberObjects".to_owned();
        routes.insert(path, switched(route, state, Endpoint::Graph));
    }
    if state.shape.has_tokeninfo() {
        let route = switched(get(tokeninfo::tokeninfo), state, Endpoint::Introspection);
        routes.insert("/tokeninfo".to_owned(), route);
    }
    routes
}

fn documents(state: &Arc<State>) -> Routes {
    let mut routes = Routes::new();
    for published in &state.published {
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
    state: &Arc<State>,
    published: &Published,
    which: Endpoint,
) -> MethodRouter<Arc<State>> {
    let published = published.clone();
    let route = get(
        async move |extract::State(state): extract::State<Arc<State>>, headers| match which {
            Endpoint::Jwks => discovery::jwks(&state, &published, &headers),
            _ => discovery::metadata(&state, &published, &headers),
        },
    );
    switched(route, state, which)
}

fn routed(routes: Routes) -> Router<Arc<State>> {
    routes
        .into_iter()
        .fold(Router::new(), |router, (path, route)| {
            router.route(&path, route)
        })
}
