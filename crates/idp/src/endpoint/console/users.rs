//! The users, with their passwords: they are for development.

use crate::config::user::User;
use crate::endpoint::console::page::{MenuPage, chips, ok};
use crate::state::IdpState;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;
use std::sync::Arc;

pub(crate) async fn show(State(state): State<Arc<IdpState>>) -> Response {
    let users = &state.config.users;
    let content = html! {
        p.lead { "People who can sign in, from the settings: " code { "[[user]]" } "." }
        @if users.is_empty() {
            p.empty {
                "None. Add a " code { "[[user]]" }
                " with " code { "username" }
                " and " code { "password" }
                " to the settings file."
            }
        }
        div.cards { @for user in users { (card(&state, user)) } }
    };
    ok(&state, MenuPage::Users, "Users", &content)
}

fn card(state: &IdpState, user: &User) -> Markup {
    let make = format!(
        "/console/make?user={}",
        form_urlencoded::byte_serialize(user.username.as_bytes()).collect::<String>()
    );
    let claims = Value::from(user.claims.clone());
    html! {
        article.card {
            h2 { (user.username) }
            dl {
                div { dt { "Password" } dd { code { (user.password.reveal()) } } }
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
