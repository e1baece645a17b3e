//! The addresses of the provider, and the settings that an application needs.

use crate::endpoint::console::page::{MenuPage, copyable, ok};
use crate::endpoint::console::time;
use crate::endpoint::console::trial::curl::field;
use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use crate::fault::order::FaultOrder;
use crate::state::IdpState;
use crate::token::kind::TokenFormat;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(crate) async fn show(State(state): State<Arc<IdpState>>) -> Response {
    let content = html! {
        p.lead { "Applications that trust this issuer accept its tokens. The passwords are \
            known, and anybody on this machine can get a token for anybody." }
        section aria-labelledby="settings" {
            h2 id="settings" { "Settings for your application" }
            (copyable("env", "Settings for your application", &settings(&state)))
        }
        section aria-labelledby="now" {
            h2 id="now" { "Get a token" }
            (copyable("curl", "Get a token with curl", &curl(&state)))
            p {
                "For other claims, or a faulty token: "
                a href="/console/make" { "make a token" } ". To see a whole sign-in: "
                a href="/console/try" { "try one" } "."
            }
        }
        section aria-labelledby="endpoints" {
            h2 id="endpoints" { "Endpoints" }
            (endpoints(&state))
        }
        section aria-labelledby="facts" {
            h2 id="facts" { "Configuration" }
            (facts(&state))
        }
    };
    ok(&state, MenuPage::Overview, "Overview", &content)
}

fn settings(state: &IdpState) -> String {
    // Where the client is the audience, there are as many as clients.
    let mut audiences = Vec::new();
    for client in &state.config.clients {
        let audience = state.audience_for(&client.id);
        if !audiences.contains(&audience) {
            audiences.push(audience);
        }
    }
    let (issuer, profile) = (&state.issuer, state.config.dialect.profile());
    let audiences = audiences.join(",");
    let mut text =
        format!("OAUTH2_ISSUER={issuer}\nOAUTH2_AUDIENCE={audiences}\nOAUTH2_PROFILE={profile}\n");
    // Opaque tokens need introspection, and for that a client of one's own.
    if state.format() == TokenFormat::Opaque {
        text.push_str("OAUTH2_INTROSPECTION=true\n");
        // Public clients may not ask for introspection, so one with a secret is shown.
        let asking = state
            .config
            .clients
            .iter()
            .find_map(|client| Some((&client.id, client.secret.as_ref()?)));
        if let Some((id, secret)) = asking {
            text.push_str(&format!(
                "OAUTH2_CLIENT_ID={id}\nOAUTH2_CLIENT_SECRET={}\n",
                secret.reveal()
            ));
        }
    }
    text
}

fn curl(state: &IdpState) -> String {
    // A user who exists: the command is meant to be pasted.
    let users = state.users.all();
    let user = users
        .first()
        .map_or("alice", |(user, _)| &user.username);
    format!(
        "TOKEN=$(curl -s {} {})",
        state.url("/dev/token"),
        field("user", user)
    )
}

/// Whether a browser can show the endpoint's answer.
fn is_document(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::Metadata | Endpoint::Jwks)
}

/// The names and the addresses of the endpoints.
fn addresses(state: &IdpState) -> [(&'static str, Option<String>, Endpoint); 9] {
    let theirs = &state.endpoints;
    let first = state.documents.first();
    let metadata = first
        .and_then(|first| first.metadata.first())
        .map(|path| state.url(path));
    let ours = |theirs: &Option<String>, path| Some(state.endpoint(theirs.as_ref(), path));
    [
        ("Metadata", metadata, Endpoint::Metadata),
        (
            "Key set",
            first.map(|first| state.url(&first.keys)),
            Endpoint::Jwks,
        ),
        (
            "Authorization",
            ours(&theirs.authorize, "/authorize"),
            Endpoint::Authorize,
        ),
        ("Token", ours(&theirs.token, "/token"), Endpoint::Token),
        (
            "Device authorization",
            Some(state.url("/device_authorization")),
            Endpoint::DeviceAuthorization,
        ),
        (
            "Pushed requests",
            Some(state.url("/par")),
            Endpoint::PushedRequests,
        ),
        (
            "UserInfo",
            ours(&theirs.userinfo, "/userinfo"),
            Endpoint::UserInfo,
        ),
        (
            "Introspection",
            ours(&theirs.introspect, "/introspect"),
            Endpoint::Introspection,
        ),
        (
            "Revocation",
            ours(&theirs.revoke, "/revoke"),
            Endpoint::Revocation,
        ),
    ]
}

fn endpoints(state: &IdpState) -> Markup {
    let rows = addresses(state);
    html! {
        div.scroll tabindex="0" role="group" aria-label="Endpoints" {
            table {
                thead {
                    tr {
                        th scope="col" { "Endpoint" }
                        th scope="col" { "Address" }
                        th.number scope="col" { "Requests" }
                        th scope="col" { "State" }
                    }
                }
                tbody {
                    @for (name, url, endpoint) in rows {
                        @if let Some(url) = url {
                            tr {
                                th scope="row" { (name) }
                                td {
                                    @if is_document(endpoint) { a href=(url) { code { (url) } } }
                                    @else { code { (url) } }
                                }
                                td.number { (state.switches.requests(endpoint)) }
                                td { (answers(state.switches.order(endpoint))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn answers(order: FaultOrder) -> Markup {
    html! {
        @if order.fault == Fault::None { span.good { "works" } }
        @else { a.bad href="/console/faults" { (order) } }
    }
}

fn facts(state: &IdpState) -> Markup {
    // A wrong clock explains many refusals, so it is shown first of all.
    let off = state.clock_off.load(Ordering::SeqCst);
    let clock = match off {
        0 => "correct".to_owned(),
        _ => format!(
            "{} {}",
            time::length(off.unsigned_abs()),
            if off < 0 { "behind" } else { "ahead" }
        ),
    };
    let format = match state.format() {
        TokenFormat::Jwt => "JWT",
        TokenFormat::Opaque => "opaque, for introspection",
    };
    html! {
        dl.facts {
            div { dt { "Imitates" } dd { (state.config.dialect.to_string()) } }
            div { dt { "Access tokens" } dd { (format) } }
            div {
                dt { "Lifetime" }
                dd { (time::length(state.config.access_token_lifetime.into())) }
            }
            div { dt { "Algorithm" } dd { (state.keys.signing().algorithm.name()) } }
            div { dt { "Clock" } dd { (clock) } }
            div { dt { "Time" } dd { (time::date(state.now())) } }
        }
    }
}
