//! The frame of every console page, and the elements that several pages share.

use crate::endpoint::dev::switches::{claims_of, flaw_of};
use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use crate::state::IdpState;
use crate::state::console_file::keep;
use crate::token::kind::FlowToken;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};
use std::sync::atomic::Ordering;

/// The pages of the menu.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MenuPage {
    Overview,
    Try,
    Users,
    Clients,
    Keys,
    Tokens,
    Make,
    Faults,
    Requests,
    Events,
}

const MENU: [(MenuPage, &str, &str); 10] = [
    (MenuPage::Overview, "/console", "Overview"),
    (MenuPage::Try, "/console/try", "Try a sign-in"),
    (MenuPage::Make, "/console/make", "Make a token"),
    (MenuPage::Tokens, "/console/tokens", "Tokens"),
    (MenuPage::Requests, "/console/requests", "Requests"),
    (MenuPage::Events, "/console/events", "Events"),
    (MenuPage::Faults, "/console/faults", "Faults"),
    (MenuPage::Keys, "/console/keys", "Keys"),
    (MenuPage::Users, "/console/users", "Users"),
    (MenuPage::Clients, "/console/clients", "Clients"),
];

/// The whole page.
pub(crate) fn page(
    state: &IdpState,
    status: StatusCode,
    place: MenuPage,
    title: &str,
    content: &Markup,
) -> Response {
    let faults = faults(state);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " - development identity provider" }
                link rel="icon" href="/console/icon.svg";
                link rel="stylesheet" href="/console/style.css";
                script src="/console/script.js" defer {}
            }
            body {
                a.skip href="#content" { "Skip to content" }
                header {
                    div.bar {
                        a.brand href="/console" {
                            img src="/console/icon.svg" alt="" width="28" height="28";
                            span { "Portcullis " span.quiet { "development identity provider" } }
                        }
                        p.loud { "Never for production" }
                    }
                    nav aria-label="Console" {
                        ul {
                            @for (other, path, name) in MENU {
                                li { a href=(path) aria-current=[
                                    (other == place).then_some("page")
                                ] {
                                    (name)
                                    @if other == MenuPage::Faults && faults > 0 {
                                        " " span.count { (faults) " on" }
                                    }
                                } }
                            }
                        }
                    }
                }
                main id="content" tabindex="-1" { h1 { (title) } (content) }
                footer { p { "Issuer " code { (state.issuer.as_str()) } } }
            }
        }
    };
    (status, headers(), Html(page.into_string())).into_response()
}

/// A page with the status 200.
pub(crate) fn ok(state: &IdpState, place: MenuPage, title: &str, content: &Markup) -> Response {
    page(state, StatusCode::OK, place, title, content)
}

/// Redirects after a change: the browser continues with a GET, so that a reload changes nothing.
pub(crate) fn go_to(path: &str) -> Response {
    (
        StatusCode::SEE_OTHER,
        [(LOCATION, path), (CACHE_CONTROL, "no-store")],
    )
        .into_response()
}

/// Where the browser goes after users or clients changed; an error if the change is not kept.
pub(crate) fn after_change(state: &IdpState, place: MenuPage, list: &str) -> Response {
    match keep(state) {
        Ok(()) => go_to(list),
        Err(problem) => {
            let content = html! {
                p.problem role="alert" {
                    "The change counts until the provider stops, but it could not be kept in "
                    (problem)
                }
                p.actions { a.button href=(list) { "Continue" } }
            };
            // Not the visitor's fault: a file that cannot be written.
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            page(state, status, place, "Not kept", &content)
        }
    }
}

/// A text as a value in a query: names may have characters that mean something there.
pub(crate) fn query_value(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub(crate) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// A text with a button that copies it. The name is unique on its page.
pub(crate) fn copyable(name: &str, label: &str, text: &str) -> Markup {
    html! {
        div.copyable {
            pre tabindex="0" role="group" aria-label=(label) { code id=(name) { (text) } }
            (copy_button(name, label))
        }
    }
}

/// The button that copies the text of that name; the script shows it.
pub(crate) fn copy_button(name: &str, label: &str) -> Markup {
    html! {
        button.small type="button" data-copy=(name) hidden {
            span { "Copy" }
            span.unseen { " " (label) }
        }
    }
}

/// A message in which names stand between backticks.
pub(crate) fn message(text: &str) -> Markup {
    html! {
        // Escaped part by part: a value between backticks may be markup.
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// Texts as chips, or the word "none".
pub(crate) fn chips(texts: &[String]) -> Markup {
    html! {
        @if texts.is_empty() { span.quiet { "none" } }
        @else { ul.chips { @for text in texts { li { (text) } } } }
    }
}

/// How many faults are switched on.
fn faults(state: &IdpState) -> usize {
    // The count beside the menu is a reminder that a failure is ordered.
    let failing = Endpoint::ALL
        .iter()
        .filter(|endpoint| state.switches.order(**endpoint).fault != Fault::None);
    let flawed = |kind| {
        usize::from(flaw_of(state, kind) != "none")
            + usize::from(!claims_of(state, kind).is_empty())
    };
    // A clock that is off fails tokens as a fault does, and is forgotten as easily.
    let clock = usize::from(state.clock_off.load(Ordering::SeqCst) != 0);
    failing.count() + FlowToken::ALL.map(flawed).iter().sum::<usize>() + clock
}

fn headers() -> [(HeaderName, HeaderValue); 4] {
    // Claims are anybody's text: even if one became markup, no script in it would run.
    const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                          connect-src 'self'; form-action 'self'; base-uri 'none'; \
                          frame-ancestors 'none'";
    [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        // With `no-referrer`, browsers send forms with `Origin: null`, which the endpoints refuse.
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ]
}
