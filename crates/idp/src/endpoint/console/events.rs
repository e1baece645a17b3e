//! What receivers are told: security events and logouts on command, and what became of them.

use crate::endpoint::console::event_list;
use crate::endpoint::console::fields::{TextField, flaw_options, select};
use crate::endpoint::console::page::{MenuPage, copyable, go_to, message, ok, page};
use crate::endpoint::console::trial::curl::field;
use crate::endpoint::dev::event::send_ordered;
use crate::endpoint::dev::log_out as log_out_ordered;
use crate::endpoint::dev::stream::set_ordered;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::issue::logout::LogoutNotice;
use crate::issue::security_event::SecurityEvent;
use crate::issue::stream_event::pause_inactive;
use crate::state::IdpState;
use crate::token::kind::FlowToken;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

const TITLE: &str = "Events";

const SUBJECTS: [(&str, &str); 4] = [
    ("", "as usual for the event"),
    ("iss_sub", "issuer and subject"),
    ("complex", "user and session"),
    ("email", "email address"),
];

pub(crate) async fn show(State(state): State<Arc<IdpState>>) -> Response {
    pause_inactive(&state);
    let content = content(&state, None, &html! {});
    ok(&state, MenuPage::Events, TITLE, &content)
}

pub(crate) async fn send(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    let params = match form {
        Ok(form) => form.params,
        Err(error) => return refuse(&state, None, &error),
    };
    match send_ordered(&state, &params).await {
        // Redirected, so that a reload does not send another event.
        Ok(_) => go_to("/console/events#sent"),
        Err(error) => refuse(&state, Some(&params), &error),
    }
}

pub(crate) async fn log_out(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    let params = match form {
        Ok(form) => form.params,
        Err(error) => return refuse(&state, None, &error),
    };
    match log_out_ordered(&state, &params).await {
        Ok(notices) => {
            let done = signed_out(params.find("user").unwrap_or_default(), &notices);
            let content = content(&state, None, &done);
            ok(&state, MenuPage::Events, TITLE, &content)
        }
        Err(error) => refuse(&state, Some(&params), &error),
    }
}

pub(crate) async fn set_stream(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    let set = match form {
        Ok(form) => set_ordered(&state, &form.params).await,
        Err(error) => Err(error),
    };
    match set {
        Ok(()) => go_to("/console/events#streams"),
        Err(error) => refuse(&state, None, &error),
    }
}

/// The page again with the problem, and with the typed values.
fn refuse(state: &IdpState, wanted: Option<&Params>, error: &OAuthError) -> Response {
    let problem = html! { p.problem role="alert" { (message(&error.description)) } };
    let content = content(state, wanted, &problem);
    page(
        state,
        StatusCode::BAD_REQUEST,
        MenuPage::Events,
        TITLE,
        &content,
    )
}

fn signed_out(user: &str, notices: &[LogoutNotice]) -> Markup {
    html! {
        div.done role="status" {
            p { (user) " is signed out everywhere" }
            @if notices.is_empty() {
                p { "No client of their sessions has a " code { "backchannel_logout_uri" } }
            }
            @for notice in notices {
                p {
                    (notice.client) " "
                    @match notice.status {
                        Some(status) => { "answered " (status) },
                        None => "did not answer",
                    }
                    @if let Some(error) = &notice.error { ": " (error) }
                }
            }
        }
    }
}

fn content(state: &IdpState, wanted: Option<&Params>, first: &Markup) -> Markup {
    html! {
        p.lead {
            "Tell applications what happened: security events (CAEP and RISC) go into the streams \
                that they created, logout tokens to the address that they registered."
        }
        (first)
        (event_form(state, wanted))
        (logout_form(state))
        section aria-labelledby="streams" {
            h2 id="streams" { "Streams" }
            (event_list::streams(state))
        }
        section aria-labelledby="sent" {
            h2 id="sent" { "Sent events" }
            (event_list::sent(state))
        }
        section aria-labelledby="script" {
            h2 id="script" { "From a script" }
            (copyable("curl", "Send an event with curl", &curl(state)))
        }
    }
}

fn event_form(state: &IdpState, wanted: Option<&Params>) -> Markup {
    let held = |name: &str| {
        wanted
            .and_then(|wanted| wanted.find(name))
            .unwrap_or_default()
    };
    let labels = SecurityEvent::names().map(|(name, says)| (name, format!("{name}: {says}")));
    html! {
        form.making method="post" action="/console/events" {
            fieldset {
                legend { "Subject" }
                (users(state, "user", held("user")))
                (select("subject", "Named by", held("subject"), SUBJECTS.into_iter()))
                (TextField::new("session", "Session", held("session"))
                    .hint("For user and session: a token's sid. Without one, the user's latest.")
                    .show())
            }
            fieldset {
                legend { "Event" }
                (select(
                    "event",
                    "What happened",
                    held("event"),
                    labels.iter().map(|(name, label)| (*name, label.as_str())),
                ))
                (TextField::new("members", "Members, as JSON", held("members"))
                    .hint("Added to the event's own members, or in their place. null removes one.")
                    .example(r#"{"initiating_entity": "admin"}"#).show())
                (select("flaw", "Flaw", held("flaw"), flaw_options("none", FlowToken::Event)))
            }
            p.actions { button type="submit" { "Send event" } }
        }
    }
}

fn logout_form(state: &IdpState) -> Markup {
    html! {
        form.making method="post" action="/console/events/logout" {
            fieldset.whole {
                legend { "Logout" }
                div.pair {
                    (users(state, "logout-user", ""))
                    div.field {
                        label for="logout-flaw" { "Flaw of the logout tokens" }
                        select id="logout-flaw" name="flaw" {
                            @for (name, label) in flaw_options("none", FlowToken::Logout) {
                                option value=(name) { (label) }
                            }
                        }
                    }
                }
            }
            p.actions { button type="submit" { "Sign out everywhere" } }
        }
    }
}

fn users(state: &IdpState, id: &str, held: &str) -> Markup {
    html! {
        div.field {
            label for=(id) { "User" }
            select id=(id) name="user" {
                @for (user, _) in state.users.all() {
                    option value=(user.username) selected[user.username == held] {
                        (user.username)
                    }
                }
            }
        }
    }
}

fn curl(state: &IdpState) -> String {
    let users = state.users.all();
    let user = users
        .first()
        .map_or("alice", |(user, _)| &user.username);
    let user = field("user", user);
    let (event, logout) = (state.url("/dev/event"), state.url("/dev/logout"));
    format!("curl -s {event} {user} -d event=session-revoked\ncurl -s {logout} {user}")
}
