//! The latest requests and their responses.

use crate::endpoint::console::page::{MenuPage, message, ok};
use crate::endpoint::console::time;
use crate::state::IdpState;
use crate::store::journal::RequestRecord;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

pub(crate) async fn show(State(state): State<Arc<IdpState>>) -> Response {
    let now = state.now();
    let rows: Vec<Markup> = state
        .journal()
        .requests()
        .map(|request| row(request, now))
        .collect();
    let content = html! {
        p.lead { "The latest requests first. " a href="/console/requests" { "Refresh" } }
        @if rows.is_empty() {
            p.empty { "None yet. Requests of applications appear here, with the error of each \
                failed one." }
        } @else {
            div.scroll tabindex="0" role="group" aria-label="Requests" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Request" }
                            th scope="col" { "Response" }
                            th.wide scope="col" { "Client" }
                            th.wide scope="col" { "Time" }
                            th.number.wide scope="col" { "Duration" }
                        }
                    }
                    tbody { @for row in &rows { (row) } }
                }
            }
        }
    };
    ok(&state, MenuPage::Requests, "Requests", &content)
}

fn row(request: &RequestRecord, now: u64) -> Markup {
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
