//! The tokens that left the house lately, and each of them taken apart.

use crate::endpoint::console::page::{Place, copy_button, copyable, go_to, ok, page};
use crate::endpoint::console::time;
use crate::state::State;
use crate::store::journal::Issued;
use crate::token::claims::Claims;
use axum::extract;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;
use std::sync::Arc;

/// The claims that are times.
const TIMES: [&str; 5] = ["iat", "exp", "nbf", "auth_time", "updated_at"];

pub(crate) async fn list(extract::State(state): extract::State<Arc<State>>) -> Response {
    let (tokens, now) = (
        state.journal().tokens().cloned().collect::<Vec<Issued>>(),
        state.now(),
    );
    let content = html! {
        p.lead { "The latest that left the house, taken apart. They are kept in memory only." }
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
                            th scope="col" { "For" }
                            th.wide scope="col" { "Client" }
                            th.wide scope="col" { "By" }
                            th scope="col" { "Issued" }
                            th scope="col" { "State" }
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
    ok(&state, Place::Tokens, "Tokens", &content)
}

pub(crate) async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Path(id): Path<String>,
) -> Response {
    let found = id.parse().ok().and_then(|id| state.journal().token(id));
    let Some(token) = found else {
        let content = html! {
            p.empty {
                "It is not kept any more: only the latest are. "
                a href="/console/tokens" { "All tokens" }
            }
        };
        return page(
            &state,
            StatusCode::NOT_FOUND,
            Place::Tokens,
            "No such token",
            &content,
        );
    };
    let title = format!("{} #{}", capitalised(token.kind), token.id);
    ok(&state, Place::Tokens, &title, &apart(&state, &token))
}

fn apart(state: &State, token: &Issued) -> Markup {
    let now = state.now();
    html! {
        dl.facts {
            div { dt { "For" } dd { (subject(token)) } }
            div { dt { "Client" } dd { (token.client) } }
            div { dt { "By" } dd { (way(token)) } }
            div { dt { "Issued" } dd { (time::when(token.at, now)) } }
            div { dt { "State" } dd { (standing(state, token, now)) } }
        }
        section aria-labelledby="token" {
            h2 id="token" { "The token" }
            div.copyable {
                pre tabindex="0" role="group" aria-label="The token" {
                    code id="raw" { (coloured(&token.token)) }
                }
                (copy_button("raw", "the token"))
            }
        }
        @if !token.header.is_empty() { (members("header", "Header", &token.header, now)) }
        @if !token.claims.is_empty() { (members("claims", "Claims", &token.claims, now)) }
        @if token.kind != "refresh token" {
            section aria-labelledby="use" {
                h2 id="use" { "Use it" }
                (copyable("curl", "A request with it", &format!("curl -i http://127.0.0.1:8000/ -H \
                    'Authorization: Bearer {}'", token.token)))
                (copyable("explain", "Why it is accepted or refused", &explain(state, token)))
            }
        }
        @if is_active(state, token) {
            form method="post" action={ (address(token)) "/revoke" } {
                p.hint { "Whoever asks the introspection endpoint learns of it at once; whoever \
                    reads the JWT alone does not." }
                button.quiet type="submit" { "Revoke" }
            }
        }
    }
}

pub(crate) async fn revoke(
    extract::State(state): extract::State<Arc<State>>,
    Path(id): Path<String>,
) -> Response {
    let found = id.parse().ok().and_then(|id| state.journal().token(id));
    let Some(token) = found else {
        return go_to("/console/tokens");
    };
    state.store().revoke_access_token(&token.token);
    go_to(&address(&token))
}

fn address(token: &Issued) -> String {
    format!("/console/tokens/{}", token.id)
}

/// The three parts of a JWT apart from one another.
fn coloured(token: &str) -> Markup {
    let parts: Vec<&str> = token.split('.').collect();
    html! {
        @if let [header, claims, signature] = parts[..] {
            span.part-header { (header) } "."
            span.part-claims { (claims) } "."
            span.part-signature { (signature) }
        } @else { (token) }
    }
}

fn members(id: &str, title: &str, members: &Claims, now: u64) -> Markup {
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

fn explain(state: &State, token: &Issued) -> String {
    let audience = state.audience_for(crate::state::USERS_CLIENT);
    let (issuer, profile) = (&state.issuer, state.config.dialect.profile());
    format!(
        "OAUTH2_ISSUER={issuer} OAUTH2_AUDIENCE={audience} OAUTH2_PROFILE={profile} \\\n  \
        portcullis explain {}",
        token.token
    )
}

fn subject(token: &Issued) -> Markup {
    let claim = |name: &str| token.claims.get(name).and_then(Value::as_str);
    let name = ["preferred_username", "username", "email", "name", "sub"]
        .into_iter()
        .find_map(claim);
    html! { @if let Some(name) = name { (name) } @else { span.quiet { "not told" } } }
}

fn way(token: &Issued) -> String {
    // The grants of other specifications are named by URNs, of which the end says it all.
    token
        .way
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .replace('_', " ")
}

fn is_active(state: &State, token: &Issued) -> bool {
    state
        .store()
        .access_token(&token.token, state.now())
        .is_some()
}

fn standing(state: &State, token: &Issued, now: u64) -> Markup {
    let time = |name: &str| token.claims.get(name).and_then(Value::as_u64);
    let remembered = token.kind == "access token" && is_active(state, token);
    match (time("exp"), time("nbf")) {
        (Some(exp), _) if exp <= now => html! { span.bad { "expired " (time::when(exp, now)) } },
        (_, Some(nbf)) if nbf > now => html! { span.bad { "valid " (time::when(nbf, now)) } },
        (Some(exp), _) if remembered || token.kind == "ID token" => {
            html! { span.good { "ends " (time::when(exp, now)) } }
        }
        (Some(_), _) => html! { span.quiet { "unknown to introspection" } },
        _ => html! { span.quiet { "opaque" } },
    }
}

fn capitalised(kind: &str) -> String {
    let mut letters = kind.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
