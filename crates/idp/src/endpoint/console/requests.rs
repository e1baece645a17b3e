//! The latest requests and their responses, filtered, and renewed while somebody looks.

use crate::endpoint::console::decode::breakable;
use crate::endpoint::console::fields::select;
use crate::endpoint::console::page::{MenuPage, message, ok};
use crate::endpoint::console::time;
use crate::endpoint::http::params::Params;
use crate::state::IdpState;
use crate::store::journal::RequestRecord;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

const OUTCOMES: [(&str, &str); 3] = [
    ("", "all"),
    ("refused", "refused"),
    ("accepted", "accepted"),
];

/// Which requests are listed.
struct RequestFilter {
    endpoint: String,
    outcome: String,
    client: String,
}

impl RequestFilter {
    fn read(query: &str) -> Self {
        let params = Params::parse(query).unwrap_or_default();
        let text = |name: &str| params.find(name).unwrap_or_default().to_owned();
        Self {
            endpoint: text("endpoint"),
            outcome: text("outcome"),
            client: text("client"),
        }
    }

    fn matches(&self, request: &RequestRecord) -> bool {
        // A request without a client matches no chosen one.
        let client = request.client.as_deref().unwrap_or_default();
        (self.endpoint.is_empty() || self.endpoint == request.endpoint)
            && (self.client.is_empty() || self.client == client)
            && match self.outcome.as_str() {
                "refused" => request.is_refused(),
                "accepted" => !request.is_refused(),
                _ => true,
            }
    }
}

pub(crate) async fn show(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
) -> Response {
    let filter = RequestFilter::read(&query.unwrap_or_default());
    // Copied, so that the journal is free while the page is written.
    let (all, now): (Vec<RequestRecord>, u64) = (
        state.journal().requests().cloned().collect(),
        state.true_time(),
    );
    let listed: Vec<&RequestRecord> = all.iter().filter(|it| filter.matches(it)).collect();
    let content = html! {
        p.lead { "The latest hundred requests, the newest first. Secrets are not kept." }
        (filter_form(&filter, &all))
        div id="live" {
            @if listed.is_empty() {
                p.empty {
                    @if all.is_empty() {
                        "None yet. Requests of applications appear here, with the error of each \
                            failed one."
                    } @else { "None of " (all.len()) " requests is of this kind." }
                }
            } @else { (table(&listed, now)) }
        }
    };
    ok(&state, MenuPage::Requests, "Requests", &content)
}

fn filter_form(filter: &RequestFilter, all: &[RequestRecord]) -> Markup {
    // What is chosen stays in the list, even if no request has it any more.
    let mut endpoints = vec![filter.endpoint.as_str()];
    let mut clients = vec![filter.client.as_str()];
    for request in all {
        endpoints.push(request.endpoint);
        clients.extend(request.client.as_deref());
    }
    for names in [&mut endpoints, &mut clients] {
        names.sort_unstable();
        names.dedup();
        names.retain(|name| !name.is_empty());
    }
    // An empty value leaves the filter out.
    let options = |names: Vec<_>| {
        [("", "all")]
            .into_iter()
            .chain(names.into_iter().map(twice))
    };
    html! {
        form.filters method="get" action="/console/requests" {
            (select("endpoint", "Endpoint", &filter.endpoint, options(endpoints)))
            (select("outcome", "Outcome", &filter.outcome, OUTCOMES.into_iter()))
            (select("client", "Client", &filter.client, options(clients)))
            p.actions {
                button.quiet type="submit" { "Filter" }
                // The script shows it: without one, the list is renewed by hand.
                button.quiet type="button" data-live="live" aria-pressed="true" hidden { "Live" }
            }
        }
    }
}

fn twice(name: &str) -> (&str, &str) {
    (name, name)
}

fn table(requests: &[&RequestRecord], now: u64) -> Markup {
    html! {
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
                tbody { @for request in requests { (row(request, now)) } }
            }
        }
    }
}

fn row(request: &RequestRecord, now: u64) -> Markup {
    html! {
        tr {
            th scope="row" {
                a id={ "request-" (request.id) } href={ "/console/requests/" (request.id) } {
                    code { (request.method) " " (request.path) }
                }
                @if let Some(grant) = &request.grant_type { br; span.quiet { (breakable(grant)) } }
            }
            td {
                (outcome(request))
                @if let Some((_, description)) = &request.error && !description.is_empty() {
                    br; span.clamp { (message(description)) }
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

/// The status, the fault, and the name of the error.
pub(crate) fn outcome(request: &RequestRecord) -> Markup {
    // A redirect with an error has the status 303, and is a refusal.
    let failed = request.is_refused();
    html! {
        span.bad[failed].good[!failed] { (request.status) }
        @if let Some(fault) = &request.fault { " " span.tag { "fault: " (fault) } }
        @if let Some((error, _)) = &request.error && !error.is_empty() { " " code { (error) } }
    }
}
