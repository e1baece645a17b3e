//! The latest issued tokens, and each of them decoded.

use crate::endpoint::console::page::{MenuPage, copy_button, copyable, go_to, ok, page};
use crate::endpoint::console::time;
use crate::state::IdpState;
use crate::store::journal::TokenRecord;
use crate::token::claims::JsonObject;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;
use std::sync::Arc;

/// The claims that are times.
const TIMES: [&str; 5] = ["iat", "exp", "nbf", "auth_time", "updated_at"];

pub(crate) async fn list(State(state): State<Arc<IdpState>>) -> Response {
    let (tokens, now) = (
        state
            .journal()
            .tokens()
            .cloned()
            .collect::<Vec<TokenRecord>>(),
        state.now(),
    );
    let content = html! {
        p.lead { "The latest issued tokens, decoded. They are kept in memory only." }
        @if tokens.is_empty() {
            p.empty {
                "None yet. " a href="/console/make" { "Make one" }
                ", or let an application sign somebody in."
            }
        } @else {
            div.scroll tabindex="0" role="group" aria-label="Tokens" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Token" }
                            th scope="col" { "Subject" }
                            th.wide scope="col" { "Client" }
                            th.wide scope="col" { "Grant" }
                            th scope="col" { "Issued" }
                            th scope="col" { "Status" }
                        }
                    }
                    tbody { @for token in &tokens { tr {
                        th scope="row" {
                            a href=(address(token)) {
                                (token.kind) " " span.quiet { "#" (token.id) }
                            }
                        }
                        td { (subject(token)) }
                        td.wide { (token.client) }
                        td.wide { (way(token)) }
                        td { (time::when(token.at, now)) }
                        td { (standing(&state, token, now)) }
                    } } }
                }
            }
        }
    };
    ok(&state, MenuPage::Tokens, "Tokens", &content)
}

pub(crate) async fn show(State(state): State<Arc<IdpState>>, Path(id): Path<String>) -> Response {
    let found = id.parse().ok().and_then(|id| state.journal().token(id));
    let Some(token) = found else {
        let content = html! {
            p.empty {
                "This token is no longer kept. "
                a href="/console/tokens" { "All tokens" }
            }
        };
        return page(
            &state,
            StatusCode::NOT_FOUND,
            MenuPage::Tokens,
            "Unknown token",
            &content,
        );
    };
    let title = format!("{} #{}", capitalise(token.kind), token.id);
    ok(&state, MenuPage::Tokens, &title, &apart(&state, &token))
}

fn apart(state: &IdpState, token: &TokenRecord) -> Markup {
    let now = state.now();
    html! {
        dl.facts {
            div { dt { "Subject" } dd { (subject(token)) } }
            div { dt { "Client" } dd { (token.client) } }
            div { dt { "Grant" } dd { (way(token)) } }
            div { dt { "Issued" } dd { (time::when(token.at, now)) } }
            div { dt { "Status" } dd { (standing(state, token, now)) } }
        }
        section aria-labelledby="token" {
            h2 id="token" { "The token" }
            div.copyable {
                pre tabindex="0" role="group" aria-label="The token" {
                    code id="raw" { (colour_parts(&token.token)) }
                }
                (copy_button("raw", "the token"))
            }
        }
        @if !token.header.is_empty() { (members("header", "Header", &token.header, now)) }
        @if !token.claims.is_empty() { (members("claims", "Claims", &token.claims, now)) }
        @if token.kind != "refresh token" {
            section aria-labelledby="use" {
                h2 id="use" { "Use the token" }
                (copyable("curl", "Request with curl", &format!("curl -i http://127.0.0.1:8000/ -H \
                    'Authorization: Bearer {}'", token.token)))
                (copyable("explain", "Explain the decision", &explain(state, token)))
            }
        }
        @if is_active(state, token) {
            form method="post" action={ (address(token)) "/revoke" } {
                p.hint {
                    "The introspection endpoint reports it at once. Applications that only \
                        verify the JWT do not notice."
                }
                button.quiet type="submit" { "Revoke token" }
            }
        }
    }
}

pub(crate) async fn revoke(State(state): State<Arc<IdpState>>, Path(id): Path<String>) -> Response {
    let found = id.parse().ok().and_then(|id| state.journal().token(id));
    let Some(token) = found else {
        return go_to("/console/tokens");
    };
    state.store().revoke_access_token(&token.token);
    go_to(&address(&token))
}

fn address(token: &TokenRecord) -> String {
    format!("/console/tokens/{}", token.id)
}

/// The three parts of a JWT in different colours.
fn colour_parts(token: &str) -> Markup {
    // An opaque token may have dots too: only three parts make a JWT.
    let parts: Vec<&str> = token.split('.').collect();
    html! {
        @if let [header, claims, signature] = parts[..] {
            span.part-header { (header) } "."
            span.part-claims { (claims) } "."
            span.part-signature { (signature) }
        } @else { (token) }
    }
}

fn members(id: &str, title: &str, members: &JsonObject, now: u64) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) }
            table.members { tbody { @for (name, value) in members { tr {
                th scope="row" { code { (name) } }
                td {
                    code { (value.to_string()) }
                    @if let Some(at) = time_of(name, value) {
                        " " span.quiet { (time::when(at, now)) " · " (time::date(at)) }
                    }
                }
            } } } }
        }
    }
}

fn time_of(name: &str, value: &Value) -> Option<u64> {
    value.as_u64().filter(|_| TIMES.contains(&name))
}

fn explain(state: &IdpState, token: &TokenRecord) -> String {
    let audience = state.audience_for(crate::state::USERS_CLIENT);
    let (issuer, profile) = (&state.issuer, state.config.dialect.profile());
    format!(
        "OAUTH2_ISSUER={issuer} OAUTH2_AUDIENCE={audience} OAUTH2_PROFILE={profile} \\\n  \
        portcullis explain {}",
        token.token
    )
}

fn subject(token: &TokenRecord) -> Markup {
    let claim = |name: &str| token.claims.get(name).and_then(Value::as_str);
    let name = ["preferred_username", "username", "email", "name", "sub"]
        .into_iter()
        .find_map(claim);
    html! { @if let Some(name) = name { (name) } @else { span.quiet { "none" } } }
}

fn way(token: &TokenRecord) -> String {
    // Other specifications name their grants by URNs, and only the last part tells them apart.
    token
        .way
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .replace('_', " ")
}

fn is_active(state: &IdpState, token: &TokenRecord) -> bool {
    let issued = state.store().access_token(&token.token, state.now());
    issued.is_some()
}

fn standing(state: &IdpState, token: &TokenRecord, now: u64) -> Markup {
    let time = |name: &str| token.claims.get(name).and_then(Value::as_u64);
    let remembered = token.kind == "access token" && is_active(state, token);
    match (time("exp"), time("nbf")) {
        (Some(exp), _) if exp <= now => html! { span.bad { "expired " (time::when(exp, now)) } },
        (_, Some(nbf)) if nbf > now => html! { span.bad { "valid " (time::when(nbf, now)) } },
        (Some(exp), _) if remembered || token.kind == "ID token" => {
            html! { span.good { "expires " (time::when(exp, now)) } }
        }
        (Some(_), _) => html! { span.quiet { "unknown to introspection" } },
        _ => html! { span.quiet { "opaque" } },
    }
}

fn capitalise(kind: &str) -> String {
    match kind.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}", first.to_uppercase()),
        None => kind.to_owned(),
    }
}
