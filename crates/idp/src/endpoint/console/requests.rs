//! What was asked lately, and how it was answered.

use crate::endpoint::console::page::{Place, message, ok};
use crate::endpoint::console::time;
use crate::state::State;
use crate::store::journal::Answered;
use axum::extract;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

pub(crate) async fn show(extract::State(state): extract::State<Arc<State>>) -> Response {
    let now = state.now();
    let rows: Vec<Markup> = state
        .journal()
        .requests()
        .map(|request| row(request, now))
        .collect();
    let content = html! {
        p.lead { "The latest first. " a href="/console/requests" { "Load again" } }
        @if rows.is_empty() {
            p.empty { "None yet. What applications ask of this provider will stand here, with the \
                error of each that failed." }
        } @else {
            div.scroll tabindex="0" role="group" aria-label="Requests" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Request" }
                            th scope="col" { "Answer" }
                            th.wide scope="col" { "Who" }
                            th.wide scope="col" { "When" }
                            th.number.wide scope="col" { "Took" }
                        }
                    }
                    tbody { @for row in &rows { (row) } }
                }
            }
        }
    };
    ok(&state, Place::Requests, "Requests", &content)
}

fn row(request: &Answered, now: u64) -> Markup {
    let failed = request.status >= 400 || request.error.is_some();
    html! {
        tr {
            th scope="row" {
                code { (request.method) " " (request.path) }
                @if let Some(grant) = &request.grant_type { br; span.quiet { (grant) } }
            }
            td {
                span.bad[failed].good[!failed] { (request.status) }
                @if let Some(fault) = &request.fault { " " span.tag { "fault: " (fault) } }
                @if let Some((error, description)) = &request.error {
                    " " code { (error) }
                    @if !description.is_empty() { br; (message(description)) }
                }
            }
            td.wide {
                @if let Some(client) = &request.client { (client) } @else { span.quiet { "–" } }
            }
            td.wide { (time::when(request.at, now)) }
            td.number.wide { (request.took.as_millis()) " ms" }
        }
    }
}
