//! One token, decoded.

use crate::endpoint::console::decode::{colour_parts, member_table};
use crate::endpoint::console::page::{MenuPage, copy_button, copyable, go_to, ok, page};
use crate::endpoint::console::time;
use crate::endpoint::console::tokens::{address, standing, status, subject, way};
use crate::state::IdpState;
use crate::store::journal::TokenRecord;
use crate::store::status::TokenStatus;
use crate::store::validity::BY_REVOCATION;
use crate::token::claims::JsonObject;
use crate::token::kind::TokenKind;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

pub(crate) async fn show(State(state): State<Arc<IdpState>>, Path(id): Path<String>) -> Response {
    let found = id
        .parse()
        .ok()
        .and_then(|id| state.journal().token(id));
    let place = MenuPage::Tokens;
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
            place,
            "Unknown token",
            &content,
        );
    };
    // By its number, never by the token: addresses stay in the history of browsers.
    let title = format!("{} #{}", token.kind.name(), token.id);
    ok(&state, place, &title, &details(&state, &token))
}

fn details(state: &IdpState, token: &TokenRecord) -> Markup {
    let now = state.now();
    html! {
        dl.facts {
            div {
                dt { "User" }
                dd { (subject(token)) }
            }
            div {
                dt { "Client" }
                dd { (token.client) }
            }
            div {
                dt { "Grant" }
                dd { (way(token)) }
            }
            div {
                dt { "Issued" }
                dd { (time::when(token.at, now)) }
            }
            div {
                dt { "Status" }
                dd { (standing(state, token, now)) }
            }
            @if let Some(flaw) = &token.flaw { div { dt { "Flaw" } dd.bad { (flaw) } } }
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
        (members("header", "Header", &token.header, now))
        (members("claims", "Claims", &token.claims, now))
        @if token.kind == TokenKind::Access || token.kind == TokenKind::Id {
            section aria-labelledby="use" {
                h2 id="use" { "Use the token" }
                (copyable("curl", "Request with curl", &format!("curl -i http://127.0.0.1:8000/ -H \
                    'Authorization: Bearer {}'", token.token)))
                (copyable("explain", "Explain the decision", &explain(state, token)))
            }
        }
        (revocation(state, token))
    }
}

fn members(id: &str, title: &str, members: &JsonObject, now: u64) -> Markup {
    html! {
        @if !members.is_empty() {
            section aria-labelledby=(id) {
                h2 id=(id) { (title) }
                (member_table(title, members, now))
            }
        }
    }
}

fn revocation(state: &IdpState, token: &TokenRecord) -> Markup {
    let effect = match token.kind {
        TokenKind::Access => {
            "The introspection endpoint reports it at once. Applications that only verify the JWT \
                do not notice."
        }
        TokenKind::Refresh | TokenKind::Code => {
            "It can no longer be used, and the access tokens of the same sign-in end with it."
        }
        // Nobody asks whether an ID token is still good.
        TokenKind::Id => return html! {},
    };
    // What is over already cannot be revoked.
    let is_active = status(state, token) == TokenStatus::Active;
    html! {
        @if is_active {
            form method="post" action={ (address(token)) "/revoke" } {
                p.hint { (effect) }
                button.quiet type="submit" { "Revoke" }
            }
        }
    }
}

pub(crate) async fn revoke(State(state): State<Arc<IdpState>>, Path(id): Path<String>) -> Response {
    let found = id
        .parse()
        .ok()
        .and_then(|id| state.journal().token(id));
    let Some(token) = found else {
        return go_to("/console/tokens");
    };
    // One lock: the owner must not change before the grant is revoked.
    let (mut store, now) = (state.store(), state.now());
    match token.kind {
        TokenKind::Access => store.revoke_access_token(&token.token),
        TokenKind::Refresh | TokenKind::Code => {
            let owner = store
                .owner(token.kind, &token.token, now)
                .unwrap_or_default();
            if let Some(grant) = owner.grant {
                // All that came of the sign-in: a stolen code or token may have children.
                store.revoke_grant(grant, BY_REVOCATION);
            }
        }
        TokenKind::Id => {}
    }
    go_to(&address(&token))
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
