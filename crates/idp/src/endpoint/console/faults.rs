//! The fault switches.

use crate::endpoint::console::fields::flaw_options;
use crate::endpoint::console::page::{MenuPage, go_to, message, ok, page};
use crate::endpoint::dev::switches::{claims_of, flaw_of, throw};
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::fault::Fault;
use crate::fault::endpoint::Endpoint;
use crate::fault::order::FaultOrder;
use crate::state::IdpState;
use crate::token::claims::JsonObject;
use crate::token::kind::FlowToken;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const SLOW: [u64; 3] = [500, 2_000, 10_000];

/// Where the browser goes after all faults were cleared.
const CLEARED: &str = "/console/faults?cleared=true";

pub(crate) async fn show(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
) -> Response {
    let cleared = query.as_deref() == Some("cleared=true");
    let content = html! {
        @if cleared { p.done role="status" { "All faults cleared" } }
        (content(&state, None))
    };
    ok(&state, MenuPage::Faults, "Faults", &content)
}

pub(crate) async fn set(
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    let switches = form.map(|form| read_form(&form.params));
    // Asked before the switches are moved, as that takes them.
    let resets = switches
        .as_ref()
        .is_ok_and(|it| it.contains_key("reset"));
    match switches.and_then(|switches| throw(&state, switches)) {
        Ok(()) if resets => go_to(CLEARED),
        Ok(()) => go_to("/console/faults"),
        Err(error) => {
            let content = content(&state, Some(&error.description));
            page(
                &state,
                StatusCode::BAD_REQUEST,
                MenuPage::Faults,
                "Faults",
                &content,
            )
        }
    }
}

/// The switches of the form. An emptied field means "no fault".
fn read_form(params: &Params) -> JsonObject {
    let mut wanted = params.to_object();
    if wanted.contains_key("reset") {
        wanted.retain(|name, _| name == "reset");
        return wanted;
    }
    // Browsers send an emptied field without a value, and over HTTP a missing switch stays as it
    // is.
    wanted.entry("clock_off").or_insert(Value::from("0"));
    for kind in FlowToken::ALL {
        wanted
            .entry(format!("{}_claims", kind.name()))
            .or_insert(Value::from("{}"));
    }
    wanted
}

fn content(state: &IdpState, problem: Option<&str>) -> Markup {
    html! {
        p.lead {
            "Make the provider fail, and see what your application does. Faults stay until \
                you clear them."
        }
        @if let Some(problem) = problem { p.problem role="alert" { (message(problem)) } }
        form method="post" action="/console/faults" {
            fieldset {
                legend { "Endpoints" }
                div.switches {
                    @for endpoint in Endpoint::ALL {(switch(
                        endpoint,
                        state.switches.order(endpoint),
                    ))}
                }
            }
            fieldset {
                legend { "Tokens" }
                @for (kind, label) in [
                    (FlowToken::Access, "Access tokens"),
                    (FlowToken::Id, "ID tokens"),
                    (FlowToken::Logout, "Logout tokens"),
                    (FlowToken::Event, "Security events"),
                ] { (tokens(state, kind, label)) }
            }
            fieldset {
                legend { "Clock" }
                label for="clock_off" { "Seconds ahead; negative for behind" }
                input id="clock_off" name="clock_off" type="number" value=(state.clock_off.load(
                    Ordering::SeqCst
                ));
            }
            p.actions {
                button type="submit" { "Apply" }
                button.quiet type="submit" name="reset" value="true" { "Clear all faults" }
            }
        }
        section aria-labelledby="script" {
            h2 id="script" { "From a script" }
            p {
                code { "portcullis idp fault token slow:2000" }
                " or " code { "curl -d token=slow:2000 " (state.url("/dev/faults")) }
            }
        }
    }
}

fn switch(endpoint: Endpoint, now: FaultOrder) -> Markup {
    let mut orders: Vec<FaultOrder> = Vec::new();
    for fault in Fault::ALL {
        if !matches!(fault, Fault::Slow(_)) {
            orders.push(fault.into());
        }
    }
    for late in SLOW {
        orders.push(Fault::Slow(Duration::from_millis(late)).into());
    }
    // A length or a number that was set over HTTP must not get lost when the form is sent.
    if !orders.contains(&now) {
        orders.push(now);
    }
    html! {
        div.switch data-on[now.fault != Fault::None] {
            label for=(endpoint.name()) { (endpoint.name()) }
            select id=(endpoint.name()) name=(endpoint.name()) {
                @for order in orders {
                    option value=(order) selected[order == now] { (label(order)) }
                }
            }
        }
    }
}

fn label(order: FaultOrder) -> String {
    // For some requests only: as it was written.
    if order != order.fault.into() {
        return order.to_string();
    }
    match order.fault {
        Fault::None => "works".to_owned(),
        Fault::InternalError => "500".to_owned(),
        Fault::Unauthorized => "401 invalid_client".to_owned(),
        Fault::InvalidRequest
        | Fault::InvalidGrant
        | Fault::InvalidScope
        | Fault::UnauthorizedClient
        | Fault::UnsupportedGrantType => format!("400 {}", order.fault),
        Fault::TooManyRequests => "429 with Retry-After".to_owned(),
        Fault::Slow(late) => format!("slow: {} ms", late.as_millis()),
        Fault::Hang => "no response".to_owned(),
        Fault::Closed => "connection closed".to_owned(),
        Fault::Html => "200 with a web page".to_owned(),
        Fault::Garbage => "200 with garbage".to_owned(),
        Fault::Empty => "200 with an empty document".to_owned(),
        Fault::Huge => "200 with 10 MB".to_owned(),
        Fault::Truncated => "200 with half the document".to_owned(),
        Fault::Redirect => "redirects to itself".to_owned(),
        Fault::WrongIssuer => "names another issuer".to_owned(),
    }
}

fn tokens(state: &IdpState, kind: FlowToken, label: &str) -> Markup {
    let name = kind.name();
    let (flaw, claims) = (flaw_of(state, kind), claims_of(state, kind));
    let (flaw_name, claims_name) = (format!("{name}_flaw"), format!("{name}_claims"));
    // An empty object would look like a change.
    let text = if claims.is_empty() {
        String::new()
    } else {
        Value::from(claims).to_string()
    };
    html! {
        div.pair {
            div {
                label for=(flaw_name) { (label) }
                select id=(flaw_name) name=(flaw_name) {
                    @for (value, told) in flaw_options("good", kind) {
                        option value=(value) selected[value == flaw] { (told) }
                    }
                }
            }
            div {
                label for=(claims_name) { (label) ": changed claims" }
                input id=(claims_name) name=(claims_name) value=(text)
                    placeholder=r#"{"aud": "api://other", "sub": null}"#
                    autocomplete="off" spellcheck="false";
            }
        }
    }
}
