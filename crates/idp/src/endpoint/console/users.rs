//! Who may sign in, with their passwords: they are for development.

use crate::config::user::User;
use crate::endpoint::console::page::{Place, chips, ok};
use crate::state::State;
use axum::extract;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;
use std::sync::Arc;

pub(crate) async fn show(extract::State(state): extract::State<Arc<State>>) -> Response {
    let users = &state.config.users;
    let content = html! {
        p.lead { "Who may sign in. They come from the settings: " code { "[[user]]" } "." }
        @if users.is_empty() {
            p.empty {
                "Nobody. Add a " code { "[[user]]" }
                " with " code { "username" }
                " and " code { "password" }
                " to the settings file."
            }
        }
        div.cards { @for user in users { (card(&state, user)) } }
    };
    ok(&state, Place::Users, "Users", &content)
}

fn card(state: &State, user: &User) -> Markup {
    let make = format!(
        "/console/make?user={}",
        form_urlencoded::byte_serialize(user.username.as_bytes()).collect::<String>()
    );
    let claims = Value::from(user.claims.clone());
    html! {
        article.card {
            h2 { (user.username) }
            dl {
                div { dt { "Password" } dd { code { (user.password.shown()) } } }
                @if !user.name.is_empty() { div { dt { "Name" } dd { (user.name) } } }
                @if let Some(email) = &user.email { div { dt { "Email" } dd { (email) } } }
                div { dt { "Identifier" } dd { code { (state.user_id(user)) } } }
                div { dt { "Roles" } dd { (chips(&user.roles)) } }
                div { dt { "Groups" } dd { (chips(&user.groups)) } }
                @if let Some(tenant) = &user.tenant {
                    div { dt { "Tenant" } dd { code { (tenant) } } }
                }
                @if !user.claims.is_empty() {
                    div { dt { "Claims" } dd { code { (claims.to_string()) } } }
                }
            }
            p.actions {
                a.button href=(make) { "Make a token" span.unseen { " for " (user.username) } }
            }
        }
    }
}
