//! The clients, with their secrets: they are for development.

use crate::config::client::RegisteredClient;
use crate::endpoint::console::page::{MenuPage, chips, copyable, ok, query_value};
use crate::endpoint::console::settings::where_kept;
use crate::endpoint::console::trial::curl::curl;
use crate::endpoint::console::trial::draft::pair;
use crate::state::IdpState;
use crate::state::origin::Origin;
use crate::store::trials::TrialRequest;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

pub(crate) async fn show(State(state): State<Arc<IdpState>>) -> Response {
    let clients = state.clients.with_origins();
    let content = html! {
        p.lead { "Applications that can get tokens." }
        p.actions {
            a.button.main href="/console/clients/edit" { "Add a client" }
            a.button href="/console/settings" { "Save as settings" }
        }
        (where_kept(&state))
        @if state.config.danger_any_client {
            p.notice {
                "Any other name works as a client too, and passes every check ("
                code { "danger_any_client" } ")."
            }
        }
        @if clients.is_empty() {
            p.empty {
                "None. Add one here, or a " code { "[[client]]" }
                " with " code { "id" }
                " and " code { "secret" }
                " or " code { "redirect_uris" }
                " to the settings file."
            }
        }
        div.cards { @for (client, origin) in &clients { (card(&state, client, *origin)) } }
    };
    ok(&state, MenuPage::Clients, "Clients", &content)
}

fn card(state: &IdpState, client: &RegisteredClient, origin: Origin) -> Markup {
    // What it is registered for, not what it was seen to do.
    let kind = match (&client.secret, client.is_public()) {
        (_, true) => "nothing (public client)",
        (Some(_), _) => "secret",
        (None, _) => "signed assertion",
    };
    // An id may have characters that mean something in a query, such as `&`.
    let id = query_value(&client.id);
    html! {
        article.card {
            div.head {
                h2 { (client.id) }
                @match origin {
                    Origin::Settings => {},
                    Origin::Console => span.tag { "by hand" },
                    Origin::Registration => span.tag { "registered itself" },
                }
            }
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
                    &curl(&state.base, &token_request(state, client, secret.reveal())),
                ))
            }
            p.actions {
                @if client.may_use("authorization_code") && !client.redirect_uris.is_empty() {
                    a.button href={ "/console/try?client=" (id) } {
                        "Try a sign-in" span.unseen { " with " (client.id) }
                    }
                }
                a.button href={ "/console/make?user=" (id) } {
                    "Make a token" span.unseen { " for " (client.id) }
                }
                a.button href={ "/console/clients/edit?id=" (id) } {
                    "Edit" span.unseen { " " (client.id) }
                }
            }
        }
    }
}

/// The client's own token request. Its names and secrets may be anything, so `curl` quotes them.
fn token_request(state: &IdpState, client: &RegisteredClient, secret: &str) -> TrialRequest {
    let theirs = state.endpoints.token.clone();
    TrialRequest {
        target: theirs.unwrap_or_else(|| "/token".to_owned()),
        form: Some(vec![pair("grant_type", "client_credentials")]),
        basic: Some(pair(&client.id, secret)),
        bearer: None,
    }
}
