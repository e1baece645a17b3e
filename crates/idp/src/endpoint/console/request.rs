//! One request: its parameters, the answer, and why it was refused.

use crate::endpoint::console::decode::pair_table;
use crate::endpoint::console::page::{MenuPage, message, ok, page};
use crate::endpoint::console::requests::outcome;
use crate::endpoint::console::time;
use crate::state::IdpState;
use crate::store::journal::RequestRecord;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// What the errors mean, in words.
const MEANINGS: [(&str, &str); 20] = [
    ("access_denied", "The user did not sign in, or declined."),
    (
        "authorization_pending",
        "The user has not answered yet; the device asks again.",
    ),
    (
        "expired_token",
        "The device code expired before the user answered.",
    ),
    (
        "insufficient_scope",
        "The access token lacks a scope that this endpoint needs.",
    ),
    (
        "invalid_client",
        "The client is unknown, or did not prove that it is the client that it names.",
    ),
    (
        "invalid_client_metadata",
        "The client described itself in a way that is not supported.",
    ),
    (
        "invalid_dpop_proof",
        "The DPoP proof is missing, malformed, or of another key.",
    ),
    (
        "invalid_grant",
        "The code, refresh token or device code is unknown, expired, used, or of another client.",
    ),
    (
        "invalid_redirect_uri",
        "A client may not register this redirect URI.",
    ),
    (
        "invalid_request",
        "A parameter is missing, repeated, or malformed.",
    ),
    (
        "invalid_scope",
        "The client asked for a scope that it may not have.",
    ),
    (
        "invalid_target",
        "The client asked for an audience that it may not have.",
    ),
    (
        "invalid_token",
        "The access token is unknown, expired or revoked, or not about a user.",
    ),
    (
        "login_required",
        "Without a page, nobody is signed in as the request demands.",
    ),
    (
        "request_not_supported",
        "Request objects are not supported here.",
    ),
    ("slow_down", "The device asks too often."),
    ("unauthorized_client", "The client may not use this grant."),
    (
        "unsupported_grant_type",
        "This provider does not know the grant.",
    ),
    (
        "unsupported_response_type",
        "This provider answers with a code only.",
    ),
    (
        "use_dpop_nonce",
        "The client repeats its DPoP proof with the nonce of the answer.",
    ),
];

pub(crate) async fn show(State(state): State<Arc<IdpState>>, Path(id): Path<String>) -> Response {
    let found = id
        .parse()
        .ok()
        .and_then(|id| state.journal().request(id));
    let place = MenuPage::Requests;
    let Some(request) = found else {
        let content = html! {
            p.empty {
                "This request is no longer kept. " a href="/console/requests" { "All requests" }
            }
        };
        return page(
            &state,
            StatusCode::NOT_FOUND,
            place,
            "Unknown request",
            &content,
        );
    };
    // The number, because paths repeat.
    let title = format!("Request #{}", request.id);
    ok(&state, place, &title, &details(&request, state.true_time()))
}

fn details(request: &RequestRecord, now: u64) -> Markup {
    html! {
        p.lead { code { (request.method) " " (request.path) } }
        dl.facts {
            div {
                dt { "Response" }
                dd { (outcome(request)) }
            }
            div {
                dt { "Endpoint" }
                dd { (request.endpoint) }
            }
            div {
                dt { "Client" }
                dd { (or_dash(request.client.as_deref())) }
            }
            div {
                dt { "Authorization" }
                dd { (or_dash(request.scheme.as_deref())) }
            }
            div {
                dt { "Time" }
                dd { (time::when(request.at, now)) " · " (time::date(request.at)) }
            }
            div {
                dt { "Duration" }
                dd { (request.took.as_millis()) " ms" }
            }
        }
        @if let Some(reason) = reason(request) {
            section aria-labelledby="reason" { h2 id="reason" { "Reason" } (reason) }
        }
        section aria-labelledby="parameters" {
            h2 id="parameters" { "Parameters" }
            (pairs("Parameters", &request.parameters))
        }
        section aria-labelledby="answer" {
            h2 id="answer" { "Answer" }
            @if let Some(location) = &request.location {
                p { "The browser was sent to " code { (location) } " with:" }
            }
            (pairs("Answer", &request.answer))
            @if !request.tokens.is_empty() {
                p.row {
                    @for id in &request.tokens {
                        a href={ "/console/tokens/" (id) } { "Token #" (id) }
                    }
                }
            }
        }
        p.after { a href="/console/requests" { "All requests" } }
    }
}

/// Why it was refused; also why a token was found inactive, which is no error.
fn reason(request: &RequestRecord) -> Option<Markup> {
    // RFC 7662 gives no reason, so it is given here.
    let inactive = ("active".to_owned(), "false".to_owned());
    if request.endpoint == "introspection" && request.answer.contains(&inactive) {
        let words = "The token is unknown here, expired, or revoked.";
        return Some(html! { p { (words) } });
    }
    let (error, description) = match &request.error {
        Some((error, description)) => (error.as_str(), description.as_str()),
        None => ("", ""),
    };
    let meaning = meaning(error);
    // A status alone says nothing that the page does not show already.
    if request.fault.is_none() && meaning.is_none() && description.is_empty() {
        return None;
    }
    Some(html! {
        @if let Some(fault) = &request.fault {
            p {
                "The fault " code { (fault) } " was switched on. "
                a href="/console/faults" { "Faults" }
            }
        }
        @if let Some(meaning) = meaning { p { (meaning) } }
        @if !description.is_empty() { p.problem { (message(description)) } }
    })
}

/// What an error means, in words.
pub(crate) fn meaning(error: &str) -> Option<&'static str> {
    // An error of a specification that is not in the table is shown by its name alone.
    let found = MEANINGS.into_iter().find(|(name, _)| *name == error);
    found.map(|(_, meaning)| meaning)
}

fn pairs(label: &str, pairs: &[(String, String)]) -> Markup {
    html! {
        @if pairs.is_empty() { p.quiet { "None." } } @else { (pair_table(label, pairs)) }
    }
}

fn or_dash(text: Option<&str>) -> Markup {
    html! { @if let Some(text) = text { (text) } @else { span.quiet { "–" } } }
}
