//! The streams of events, and what became of the events in them.

use crate::endpoint::console::page::hidden;
use crate::endpoint::console::time;
use crate::state::IdpState;
use crate::store::notice::EventNotice;
use crate::store::stream::{Delivery, EventStream, StreamStatus};
use maud::{Markup, html};

pub(crate) fn streams(state: &IdpState) -> Markup {
    let streams: Vec<EventStream> = state.store().streams().to_vec();
    html! {
        @if streams.is_empty() {
            p.empty {
                "None yet. A client creates one at " code { (state.url("/ssf/streams")) }
                ", with a token of the scope " code { "ssf.manage" } "."
            }
        } @else {
            div.scroll tabindex="0" role="group" aria-label="Streams" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Client" }
                            th.wide scope="col" { "Delivery" }
                            th.number scope="col" { "Waiting" }
                            th scope="col" { "Status" }
                            th scope="col" { "Change" }
                        }
                    }
                    tbody { @for stream in &streams { (stream_row(stream)) } }
                }
            }
        }
    }
}

fn stream_row(stream: &EventStream) -> Markup {
    html! {
        tr {
            th scope="row" { (stream.client) br; span.quiet { code { (stream.id) } } }
            td.wide {
                @match &stream.delivery {
                    Delivery::Push { url, .. } => { "pushed to " code { (url) } }
                    Delivery::Poll => { "polled" }
                }
            }
            td.number { (stream.waiting()) }
            td {
                span.good[stream.status == StreamStatus::Enabled]
                    .bad[stream.status != StreamStatus::Enabled] { (stream.status) }
                @if let Some(reason) = &stream.reason { br; span.quiet { (reason) } }
            }
            td {
                form.inline method="post" action="/console/events/stream" {
                    (hidden("stream", &stream.id))
                    @for status in StreamStatus::ALL {
                        @if status != stream.status {
                            button.small type="submit" name="status" value=(status) {
                                (verb(status)) span.unseen { " stream of " (stream.client) }
                            }
                            " "
                        }
                    }
                }
            }
        }
    }
}

fn verb(status: StreamStatus) -> &'static str {
    match status {
        StreamStatus::Enabled => "Enable",
        StreamStatus::Paused => "Pause",
        StreamStatus::Disabled => "Disable",
    }
}

pub(crate) fn sent(state: &IdpState) -> Markup {
    let (notices, now) = (state.store().notices.all(), state.now());
    html! {
        @if notices.is_empty() {
            p.empty { "None yet. Without a stream that wants an event, none is sent." }
        } @else {
            div.scroll tabindex="0" role="group" aria-label="Sent events" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Event" }
                            th scope="col" { "User" }
                            th.wide scope="col" { "Client" }
                            th.wide scope="col" { "Sent" }
                            th scope="col" { "Result" }
                        }
                    }
                    tbody { @for notice in &notices { (notice_row(notice, now)) } }
                }
            }
        }
    }
}

fn notice_row(notice: &EventNotice, now: u64) -> Markup {
    // The last part tells the types apart; the whole address is there to hover over.
    let name = notice.event.rsplit('/').next().unwrap_or_default();
    html! {
        tr {
            th scope="row" title=(notice.event) { (name) }
            td {
                @match &notice.user {
                    Some(user) => (user),
                    None => span.quiet { "the stream" },
                }
            }
            td.wide { (notice.client) }
            td.wide { (time::when(notice.at, now)) }
            td { (result(notice)) }
        }
    }
}

fn result(notice: &EventNotice) -> Markup {
    html! {
        @match (&notice.error, notice.waits, notice.status) {
            (Some(error), _, _) => {
                span.bad { "refused" @if !error.err.is_empty() { ": " (error.err) } }
                @if !error.description.is_empty() { br; span.quiet { (error.description) } }
            }
            (None, false, Some(status)) => span.good { "taken (" (status) ")" },
            (None, false, None) => span.good { "acknowledged" },
            (None, true, Some(status)) => span.bad { "waits, the receiver answered " (status) },
            (None, true, None) => span.quiet { "waits" },
        }
    }
}
