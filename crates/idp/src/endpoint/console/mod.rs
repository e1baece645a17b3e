//! The console: settings, recent requests and tokens, and the fault switches, in a browser.
//!
//! Pages come from the server, with one stylesheet and one small script for the copy buttons, and
//! work without the script. Nothing is fetched from elsewhere, and nothing shown is trusted: the
//! templates escape by type. Every change is a form, which
//! [`own_pages`](crate::endpoint::gate::own_pages) accepts from these pages only.
//!
//! Everybody who reaches this provider may look: it is for development, and listens on loopback.

pub(crate) mod clients;
pub(crate) mod faults;
pub(crate) mod keys;
pub(crate) mod make;
pub(crate) mod overview;
pub(crate) mod page;
pub(crate) mod requests;
pub(crate) mod time;
pub(crate) mod tokens;
pub(crate) mod users;

use crate::state::IdpState;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, get, post};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The pages by their addresses.
pub(crate) fn routes() -> BTreeMap<String, MethodRouter<Arc<IdpState>>> {
    let routes = [
        ("/", get(overview::show)),
        ("/console", get(overview::show)),
        ("/console/users", get(users::show)),
        ("/console/clients", get(clients::show)),
        ("/console/keys", get(keys::show)),
        ("/console/keys/rotate", post(keys::rotate)),
        ("/console/tokens", get(tokens::list)),
        ("/console/tokens/{id}", get(tokens::show)),
        ("/console/tokens/{id}/revoke", post(tokens::revoke)),
        ("/console/make", get(make::show).post(make::make)),
        ("/console/faults", get(faults::show).post(faults::set)),
        ("/console/requests", get(requests::show)),
        (
            "/console/style.css",
            asset(
                "text/css; charset=utf-8",
                concat!(include_str!("../palette.css"), include_str!("style.css")),
            ),
        ),
        (
            "/console/script.js",
            asset("text/javascript; charset=utf-8", include_str!("script.js")),
        ),
        (
            "/console/icon.svg",
            asset("image/svg+xml", include_str!("icon.svg")),
        ),
    ];
    routes
        .into_iter()
        .map(|(path, route)| (path.to_owned(), route))
        .collect()
}

fn asset(kind: &'static str, content: &'static str) -> MethodRouter<Arc<IdpState>> {
    get(async move || {
        // The assets change with every build of the provider.
        ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], content).into_response()
    })
}
