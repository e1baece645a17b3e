//! The console: settings, recent requests and tokens, and the fault switches, in a browser.
//!
//! Pages come from the server, with one stylesheet and one small script for the copy buttons, and
//! work without the script. Nothing is fetched from elsewhere, and nothing shown is trusted: the
//! templates escape by type. Every change is a form, which
//! [`own_pages`](crate::endpoint::gate::own_pages) accepts from these pages only.
//!
//! Everybody who reaches this provider may look: it is for development, and listens on loopback.

pub(crate) mod client_form;
pub(crate) mod clients;
pub(crate) mod decode;
pub(crate) mod edit_form;
pub(crate) mod event_list;
pub(crate) mod events;
pub(crate) mod faults;
pub(crate) mod fields;
pub(crate) mod keys;
pub(crate) mod make;
pub(crate) mod overview;
pub(crate) mod page;
pub(crate) mod request;
pub(crate) mod requests;
pub(crate) mod settings;
pub(crate) mod time;
pub(crate) mod token;
pub(crate) mod tokens;
pub(crate) mod trial;
pub(crate) mod user_form;
pub(crate) mod users;

use crate::endpoint::console::trial::start;
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
        (
            "/console/users/edit",
            get(user_form::show).post(user_form::save),
        ),
        ("/console/users/remove", post(user_form::remove)),
        ("/console/clients", get(clients::show)),
        (
            "/console/clients/edit",
            get(client_form::show).post(client_form::save),
        ),
        ("/console/clients/remove", post(client_form::remove)),
        ("/console/settings", get(settings::show)),
        ("/console/settings.toml", get(settings::download)),
        ("/console/keys", get(keys::show)),
        ("/console/keys/rotate", post(keys::rotate)),
        ("/console/tokens", get(tokens::list)),
        ("/console/tokens/{id}", get(token::show)),
        ("/console/tokens/{id}/revoke", post(token::revoke)),
        ("/console/make", get(make::show).post(make::make)),
        ("/console/try", get(start::show).post(start::begin)),
        ("/console/try/{id}", get(trial::show).post(trial::send_next)),
        ("/console/events", get(events::show).post(events::send)),
        ("/console/events/logout", post(events::log_out)),
        ("/console/events/stream", post(events::set_stream)),
        ("/console/faults", get(faults::show).post(faults::set)),
        ("/console/requests", get(requests::show)),
        ("/console/requests/{id}", get(request::show)),
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
