//! "Try a sign-in": an application's requests, one after the other, against this provider's own
//! endpoints.
//!
//! Every request is shown before it is sent, and can be edited; every response is shown with what
//! is in it. The endpoints check everything as they always do: only the browser is imitated. It has
//! the cookies of the browser that looks at the console, so a session is the same in both. No
//! redirect is followed, so nothing is sent to the application.

pub(crate) mod curl;
pub(crate) mod draft;
pub(crate) mod send;
pub(crate) mod start;
pub(crate) mod steps;
pub(crate) mod view;

use crate::endpoint::console::page::{MenuPage, go_to, page};
use crate::endpoint::console::trial::send::{EndpointRouter, TrialBrowser};
use crate::endpoint::console::trial::view::show_trial;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::state::IdpState;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use maud::html;
use std::sync::Arc;

pub(crate) async fn show(State(state): State<Arc<IdpState>>, Path(id): Path<String>) -> Response {
    let trial = state.trials().find(&id);
    match trial {
        Some(trial) => show_trial(&state, &trial),
        None => gone(&state),
    }
}

/// Sends the next request of a trial.
pub(crate) async fn send_next(
    State(state): State<Arc<IdpState>>,
    Path(id): Path<String>,
    Extension(router): Extension<EndpointRouter>,
    sent: Result<PostedForm, OAuthError>,
) -> Response {
    let trial = state.trials().find(&id);
    // A trial is found by its random name, and only forms of our own pages come this far.
    let (Some(trial), Ok(form)) = (trial, sent) else {
        return gone(&state);
    };
    // Nothing but the cookies: the console's other headers are not the application's.
    let mut browser = TrialBrowser::of(&form.caller.headers);
    let steps = steps::run(&state, &router, &mut browser, &trial, &form.params).await;
    // The page scrolls to the new step.
    let place = trial.steps.len() + 1;
    state.trials().add_steps(&id, steps);
    // Redirected, so that a reload sends nothing again.
    let mut response = go_to(&format!("/console/try/{}#step-{place}", trial.id));
    // The sign-in begins a session in the real browser.
    for cookie in browser.set {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn gone(state: &IdpState) -> Response {
    let content = html! {
        p.empty {
            "This sign-in is no longer kept. " a href="/console/try" { "Try another one" }
        }
    };
    let status = StatusCode::NOT_FOUND;
    page(state, status, MenuPage::Try, "Unknown sign-in", &content)
}
