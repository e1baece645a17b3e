//! Which applications may ask for tokens, with their secrets: they are for development.

use crate::config::client::Client;
use crate::endpoint::console::page::{Place, chips, copyable, ok};
use crate::state::State;
use axum::extract;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

pub(crate) async fn show(extract::State(state): extract::State<Arc<State>>) -> Response {
    let clients = state.clients.all();
    let content = html! {
        p.lead {
            "Which applications may ask for tokens. They come from the settings: "
            code { "[[client]]" } "."
        }
        @if state.config.danger_any_client {
            p.notice {
                "Any other name is taken for a client as well, and believed everything ("
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
    ok(&state, Place::Clients, "Clients", &content)
}

fn card(state: &State, client: &Client) -> Markup {
    let kind = match (&client.secret, client.is_public()) {
        (_, true) => "public: no secret",
        (Some(_), _) => "a secret",
        (None, _) => "a signed assertion",
    };
    let make = format!(
        "/console/make?user={}",
        form_urlencoded::byte_serialize(client.id.as_bytes()).collect::<String>()
    );
    html! {
        article.card {
            h2 { (client.id) }
            dl {
                div { dt { "Proves itself by" } dd { (kind) } }
                @if let Some(secret) = &client.secret {
                    div { dt { "Secret" } dd { code { (secret.shown()) } } }
                }
                @if !client.grant_types.is_empty() {
                    div { dt { "Grants" } dd { (chips(&client.grant_types)) } }
                }
                div { dt { "Redirect URIs" } dd { (chips(&client.redirect_uris)) } }
                div { dt { "Scopes" } dd { (chips(&client.scopes)) } }
                div { dt { "Audience" } dd { code { (state.audience_for(&client.id)) } } }
                @if !client.audiences.is_empty() {
                    div { dt { "Others it may ask for" } dd { (chips(&client.audiences)) } }
                }
                @if !client.roles.is_empty() {
                    div { dt { "Roles" } dd { (chips(&client.roles)) } }
                }
            }
            @if let Some(secret) = &client.secret {
                (copyable(
                    &format!("curl-{}", client.id),
                    &format!("Client credentials of {}", client.id),
                    &curl(state, client, secret.shown()),
                ))
            }
            p.actions {
                a.button href=(make) { "Make a token" span.unseen { " for " (client.id) } }
            }
        }
    }
}

fn curl(state: &State, client: &Client, secret: &str) -> String {
    let endpoint = state.endpoint(state.endpoints.token.as_ref(), "/token");
    format!(
        "curl -s {endpoint} -u {}:{secret} -d grant_type=client_credentials",
        client.id
    )
}
