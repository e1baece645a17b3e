//! The latest issued tokens.

use crate::endpoint::console::page::{MenuPage, ok};
use crate::endpoint::console::time;
use crate::state::IdpState;
use crate::store::journal::TokenRecord;
use crate::store::status::TokenStatus;
use crate::token::kind::TokenKind;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;
use std::sync::Arc;

pub(crate) async fn list(State(state): State<Arc<IdpState>>) -> Response {
    let (tokens, now): (Vec<TokenRecord>, u64) =
        (state.journal().tokens().cloned().collect(), state.now());
    let content = html! {
        p.lead { "The latest fifty tokens and codes, decoded. They are kept in memory only." }
        @if tokens.is_empty() {
            p.empty {
                "None yet. " a href="/console/make" { "Make one" }
                ", " a href="/console/try" { "try a sign-in" }
                ", or let an application sign somebody in."
            }
        } @else {
            div.scroll tabindex="0" role="group" aria-label="Tokens" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Token" }
                            th scope="col" { "User" }
                            th.wide scope="col" { "Client" }
                            th.wide scope="col" { "Grant" }
                            th.wide scope="col" { "Issued" }
                            th scope="col" { "Status" }
                        }
                    }
                    tbody { @for token in &tokens { (row(&state, token, now)) } }
                }
            }
        }
    };
    ok(&state, MenuPage::Tokens, "Tokens", &content)
}

fn row(state: &IdpState, token: &TokenRecord, now: u64) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href=(address(token)) {
                    (token.kind.name()) " " span.quiet { "#" (token.id) }
                }
            }
            td { (subject(token)) }
            td.wide { (token.client) }
            td.wide { (way(token)) }
            td.wide { (time::when(token.at, now)) }
            td {
                (standing(state, token, now))
                @if let Some(flaw) = &token.flaw { br; span.tag.flaw { "flaw: " (flaw) } }
            }
        }
    }
}

pub(crate) fn address(token: &TokenRecord) -> String {
    format!("/console/tokens/{}", token.id)
}

/// The user, or else what the token itself says.
pub(crate) fn subject(token: &TokenRecord) -> Markup {
    let claim = |name: &str| token.claims.get(name).and_then(Value::as_str);
    let names = ["preferred_username", "username", "email", "name", "sub"];
    let name = token
        .user
        .as_deref()
        .or(names.into_iter().find_map(claim));
    html! { @if let Some(name) = name { (name) } @else { span.quiet { "none" } } }
}

pub(crate) fn way(token: &TokenRecord) -> String {
    // Other specifications name their grants by URNs, and only the last part tells them apart.
    token
        .way
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .replace('_', " ")
}

pub(crate) fn status(state: &IdpState, token: &TokenRecord) -> TokenStatus {
    state
        .store()
        .status(token.kind, &token.token, state.now())
}

pub(crate) fn standing(state: &IdpState, token: &TokenRecord, now: u64) -> Markup {
    let time = |name: &str| token.claims.get(name).and_then(Value::as_u64);
    // Only these are shown to APIs, which may ask about them.
    let is_bearer = matches!(token.kind, TokenKind::Access | TokenKind::Id);
    match (time("exp"), time("nbf")) {
        (Some(exp), _) if exp <= now => {
            return html! { span.bad { "expired " (time::when(exp, now)) } };
        }
        (_, Some(nbf)) if nbf > now => {
            return html! { span.bad { "valid " (time::when(nbf, now)) } };
        }
        _ => {}
    }
    match (status(state, token), time("exp")) {
        (TokenStatus::Active, Some(exp)) => {
            html! { span.good { "expires " (time::when(exp, now)) } }
        }
        (TokenStatus::Active, None) => html! { span.good { "active" } },
        (TokenStatus::Spent, _) => html! { span.quiet { "used" } },
        (TokenStatus::Revoked, _) => html! { span.bad { "revoked" } },
        // An ID token that was made to order is good, but belongs to no session.
        (TokenStatus::Unknown, Some(exp)) if token.kind == TokenKind::Id => {
            html! { span.good { "expires " (time::when(exp, now)) } }
        }
        (TokenStatus::Unknown, _) if is_bearer => {
            html! { span.quiet { "unknown to introspection" } }
        }
        (TokenStatus::Unknown, _) => html! { span.quiet { "expired" } },
    }
}
