//! The users and clients as settings, to save.

use crate::endpoint::console::page::{MenuPage, copyable, ok};
use crate::state::IdpState;
use crate::state::console_file::settings;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use std::sync::Arc;

pub(crate) async fn show(State(state): State<Arc<IdpState>>) -> Response {
    let content = html! {
        p.lead {
            "All users and clients, as they are now. Put them into the file of "
            code { "portcullis idp --config" } ", in place of its users and clients."
        }
        (where_kept(&state))
        (copyable("settings", "Settings", &settings(&state)))
        p.actions {
            a.button href="/console/settings.toml" download="idp.toml" { "Download" }
        }
    };
    ok(&state, MenuPage::Users, "Save as settings", &content)
}

pub(crate) async fn download(State(state): State<Arc<IdpState>>) -> Response {
    // To a file: browsers do not show TOML, and nobody should cache secrets.
    let headers = [
        (CONTENT_TYPE, "application/toml"),
        (CONTENT_DISPOSITION, "attachment; filename=\"idp.toml\""),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, settings(&state)).into_response()
}

/// Whether changes outlast the provider, and how.
pub(crate) fn where_kept(state: &IdpState) -> Markup {
    html! {
        p.hint {
            // Whoever changes something wants to know how long it lasts.
            @match &state.config.console_file {
                Some(file) => {
                    "Changes are kept in " code { (file.display()) } "."
                },
                None => {
                    "Changes last until the provider stops. To keep them, start it with "
                    code { "--keep FILE" } ", or save them as settings."
                },
            }
        }
    }
}
