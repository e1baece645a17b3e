//! The users, with their passwords: they are for development.

use crate::config::user::User;
use crate::endpoint::console::page::{MenuPage, chips, ok, query_value};
use crate::endpoint::console::settings::where_kept;
use crate::state::IdpState;
use crate::state::origin::Origin;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;
use std::sync::Arc;

pub(crate) async fn show(State(state): State<Arc<IdpState>>) -> Response {
    let users = state.users.all();
    let content = html! {
        p.lead { "People who can sign in." }
        p.actions {
            a.button.main href="/console/users/edit" { "Add a user" }
            a.button href="/console/settings" { "Save as settings" }
        }
        (where_kept(&state))
        @if users.is_empty() {
            p.empty {
                "None. Add one here, or a " code { "[[user]]" }
                " with " code { "username" }
                " and " code { "password" }
                " to the settings file."
            }
        }
        div.cards { @for (user, origin) in &users { (card(&state, user, *origin)) } }
    };
    ok(&state, MenuPage::Users, "Users", &content)
}

fn card(state: &IdpState, user: &User, origin: Origin) -> Markup {
    // A name may have characters that mean something in a query, such as `&`.
    let name = query_value(&user.username);
    // As JSON: that is how the form takes them.
    let claims = Value::from(user.claims.clone());
    html! {
        article.card {
            div.head {
                h2 { (user.username) }
                @if origin == Origin::Console { span.tag { "by hand" } }
            }
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
                a.button href={ "/console/make?user=" (name) } {
                    "Make a token" span.unseen { " for " (user.username) }
                }
                a.button href={ "/console/users/edit?username=" (name) } {
                    "Edit" span.unseen { " " (user.username) }
                }
            }
        }
    }
}
