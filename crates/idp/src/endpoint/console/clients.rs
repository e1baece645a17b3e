//! The clients, with their secrets: they are for development.

use crate::config::client::RegisteredClient;
use crate::endpoint::console::page::{MenuPage, chips, copyable, ok};
use crate::state::IdpState;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

pub(crate) async fn show(State(state): State<Arc<IdpState>>) -> Response {
    let clients = state.clients.all();
    let content = html! {
        p.lead {
            "Applications that can get tokens, from the settings: "
            code { "[[client]]" } "."
        }
        @if state.config.danger_any_client {
            p.notice {
                "Any other name works as a client too, and passes every check ("
                code { "danger_any_client" } ")."
            }
        }
        @if clients.is_empty() {
            p.empty {
                "None. Add a " code { "[[client]]" }
                " with " code { "id" }
                " and " code { "secret" }
                " or " code { "redirect_uris" }
                " to the settings file."
            }
        }
        div.cards { @for client in &clients { (card(&state, client)) } }
    };
    ok(&state, MenuPage::Clients, "Clients", &content)
}

fn card(state: &IdpState, client: &RegisteredClient) -> Markup {
    let kind = match (&client.secret, client.is_public()) {
        (_, true) => "nothing (public client)",
        (Some(_), _) => "secret",
        (None, _) => "signed assertion",
    };
    // An id may have characters that mean something in a query, such as `&`.
    let make = format!(
        "/console/make?user={}",
        form_urlencoded::byte_serialize(client.id.as_bytes()).collect::<String>()
    );
    html! {
        article.card {
            h2 { (client.id) }
            dl {
                div { dt { "Authenticates by" } dd { (kind) } }
                @if let Some(secret) = &client.secret {
                    div { dt { "Secret" } dd { code { (secret.reveal()) } } }
                }
                @if !client.grant_types.is_empty() {
                    div { dt { "Grants" } dd { (chips(&client.grant_types)) } }
                }
                div { dt { "Redirect URIs" } dd { (chips(&client.redirect_uris)) } }
                div { dt { "Scopes" } dd { (chips(&client.scopes)) } }
                div { dt { "Audience" } dd { code { (state.audience_for(&client.id)) } } }
                @if !client.audiences.is_empty() {
                    div { dt { "Other audiences" } dd { (chips(&client.audiences)) } }
                }
                @if !client.roles.is_empty() {
                    div { dt { "Roles" } dd { (chips(&client.roles)) } }
                }
            }
            @if let Some(secret) = &client.secret {
                (copyable(
                    &format!("curl-{}", client.id),
                    &format!("Client credentials of {}", client.id),
                    &curl(state, client, secret.reveal()),
                ))
            }
            p.actions {
                a.button href=(make) { "Make a token" span.unseen { " for " (client.id) } }
            }
        }
    }
}

fn curl(state: &IdpState, client: &RegisteredClient, secret: &str) -> String {
    let endpoint = state.endpoint(state.endpoints.token.as_ref(), "/token");
    format!(
        "curl -s {endpoint} -u {}:{secret} -d grant_type=client_credentials",
        client.id
    )
}
