//! What the commands about streams show.

use super::access::StreamAccess;
use super::create::NewStream;
use super::event_type::shorten;
use super::settings;
use super::status::StreamView;
use crate::output::{BAD, GOOD, Page, STRONG, WARNING, escape_text};
use portcullis_audit::format_duration;
use portcullis_provider::shared_signals::{
    DeliveryMethod, StreamConfiguration, StreamDelivery, StreamDeviation, StreamState,
    StreamStatus, TransmitterEndpoint,
};
use serde_json::{Value, json};
use std::time::Duration;

/// The width of the labels.
const LABELS: usize = 11;

/// The streams of a client.
pub(super) fn status(access: &StreamAccess, views: &[StreamView]) -> String {
    let metadata = access.metadata();
    let mut page = Page::new(2, LABELS);
    page.heading(STRONG, &format!("Streams of events at {}", metadata.issuer));
    if views.is_empty() {
        page.line("");
        page.row("streams", "none; `portcullis events create` makes one");
    }
    for view in views {
        page.line("");
        page.row("stream", &escape_text(&view.stream.id));
        write_status(&mut page, view.status.as_ref());
        write_stream(&mut page, &view.stream);
        let can_verify = metadata.endpoint(TransmitterEndpoint::Verification);
        let verify = match (can_verify, view.stream.min_verification_interval) {
            (None, _) => "the transmitter has no endpoint for it".to_owned(),
            (Some(_), None) => "possible at any time".to_owned(),
            (Some(_), Some(least)) => {
                format!("possible, once in {} at most", format_duration(least))
            }
        };
        page.row("verify", &verify);
    }
    page.line("");
    page.into_text()
}

fn write_status(page: &mut Page, status: Option<&StreamStatus>) {
    let Some(status) = status else {
        page.row("status", "unknown: the transmitter has no endpoint for it");
        return;
    };
    let (style, meaning) = match status.state {
        StreamState::Enabled => (GOOD, "events come"),
        StreamState::Paused => (WARNING, "events wait at the transmitter"),
        StreamState::Disabled => (BAD, "events are lost"),
    };
    page.styled_row(style, "status", &format!("{}: {meaning}", status.state));
    if let Some(reason) = &status.reason {
        page.row("reason", &escape_text(reason));
    }
}

fn write_stream(page: &mut Page, stream: &StreamConfiguration) {
    page.row("delivery", &delivery(&stream.delivery));
    page.row("audience", &escape_text(&stream.audience.join(", ")));
    page.row("delivered", &names(&stream.events_delivered));
    let missing: Vec<String> = stream
        .events_requested
        .iter()
        .filter(|event| !stream.events_delivered.contains(event))
        .cloned()
        .collect();
    if !missing.is_empty() {
        page.row("not to come", &names(&missing));
    }
    if let Some(description) = &stream.description {
        page.row("description", &escape_text(description));
    }
    if let Some(timeout) = stream.inactivity_timeout {
        let timeout = format_duration(timeout);
        page.row(
            "inactivity",
            &format!("after {timeout} without a request, the transmitter may end the stream"),
        );
    }
}

fn delivery(delivery: &StreamDelivery) -> String {
    match delivery {
        StreamDelivery::Push(url) => format!("push to {}", escape_text(url)),
        StreamDelivery::Poll(url) => format!("poll at {url}"),
        StreamDelivery::Other(uri) => format!("unknown: {}", escape_text(uri)),
        _ => "unknown".to_owned(),
    }
}

fn names(events: &[String]) -> String {
    if events.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = events.iter().map(|uri| shorten(uri)).collect();
    names.join(", ")
}

/// A new stream, with the settings of its receiver.
pub(super) fn describe_new(new: &NewStream) -> String {
    let mut page = Page::new(2, LABELS);
    page.line("");
    page.styled_row(GOOD, "created", &escape_text(&new.stream.id));
    write_stream(&mut page, &new.stream);
    let mut is_usable = true;
    for deviation in &new.deviations {
        match deviation {
            // In the row of what does not come.
            StreamDeviation::Missing(_) if !new.stream.events_requested.is_empty() => {}
            deviation if deviation.is_fatal() => {
                is_usable = false;
                page.styled_row(BAD, "wrong", &deviation.to_string());
            }
            deviation => page.styled_row(WARNING, "note", &deviation.to_string()),
        }
    }
    page.line("");
    if is_usable {
        page.line("  Settings of the receiver:\n");
        for line in settings::table(new) {
            page.line(&format!("      {line}"));
        }
        page.line("");
        page.row("next", "`portcullis events verify`, once the receiver runs");
    } else {
        let next = "the stream is there, and of no use: `portcullis events delete` deletes it";
        page.row("next", next);
    }
    page.line("");
    page.into_text()
}

/// A stream that is gone.
pub(super) fn describe_deletion(access: &StreamAccess, stream: &str) -> String {
    let mut page = Page::new(2, LABELS);
    page.line("");
    page.styled_row(GOOD, "deleted", &escape_text(stream));
    page.row("transmitter", access.metadata().issuer.as_str());
    page.row("next", "remove its table `[[events]]` from the settings");
    page.line("");
    page.into_text()
}

/// A verification that was asked for, and after how long it came, if that is known.
pub(super) fn verification(
    stream: &StreamConfiguration,
    state: &str,
    took: Option<Duration>,
) -> String {
    let mut page = Page::new(2, LABELS);
    page.line("");
    if let Some(took) = took {
        let text = format!(
            "a verification event, {:.1} s after it was asked for",
            took.as_secs_f64()
        );
        page.styled_row(GOOD, "arrived", &text);
        page.row("stream", &escape_text(&stream.id));
        page.row("delivery", &delivery(&stream.delivery));
        page.line("");
        return page.into_text();
    }
    page.styled_row(GOOD, "requested", "a verification event");
    page.row("stream", &escape_text(&stream.id));
    page.row("delivery", &delivery(&stream.delivery));
    page.row("state", state);
    page.line("");
    page.row(
        "look for",
        "a record with the event `verification` among the receiver's audit records (without them, \
            the line \"an event was taken\" in its log), and a new \
            `portcullis_event_last_timestamp_seconds` among its metrics; it may take minutes. With \
            `--config` and the receiver's settings, this command waits for it",
    );
    let otherwise = match stream.delivery.method() {
        Some(DeliveryMethod::Push) => {
            "see that the transmitter reaches that address, and sends the header \
                `Authorization` that the receiver expects"
        }
        _ => "see that the receiver runs, and that its token may fetch events",
    };
    page.row("if not", otherwise);
    page.line("");
    page.into_text()
}

/// A stream for programs.
pub(super) fn view_as_json(view: &StreamView) -> Value {
    let mut document = as_json(&view.stream);
    if let (Some(members), Some(status)) = (document.as_object_mut(), &view.status) {
        members.insert("status".to_owned(), status.state.name().into());
        members.insert("reason".to_owned(), status.reason.clone().into());
    }
    document
}

/// A new stream for programs.
pub(super) fn created_as_json(new: &NewStream) -> Value {
    let mut document = as_json(&new.stream);
    let deviations: Vec<String> = new
        .deviations
        .iter()
        .map(ToString::to_string)
        .collect();
    if let Some(members) = document.as_object_mut() {
        members.insert("deviations".to_owned(), deviations.into());
        members.insert(
            "settings".to_owned(),
            settings::table(new).join("\n").into(),
        );
    }
    document
}

/// With the names of the specification.
fn as_json(stream: &StreamConfiguration) -> Value {
    let delivery = match &stream.delivery {
        StreamDelivery::Push(url) => {
            json!({ "method": DeliveryMethod::Push.uri(), "endpoint_url": url })
        }
        StreamDelivery::Poll(url) => {
            json!({ "method": DeliveryMethod::Poll.uri(), "endpoint_url": url.as_str() })
        }
        StreamDelivery::Other(uri) => json!({ "method": uri }),
        _ => Value::Null,
    };
    json!({
        "stream_id": stream.id,
        "iss": stream.issuer.as_str(),
        "aud": stream.audience,
        "delivery": delivery,
        "events_requested": stream.events_requested,
        "events_delivered": stream.events_delivered,
        "description": stream.description,
        "min_verification_interval": stream.min_verification_interval.map(|it| it.as_secs()),
        "inactivity_timeout": stream.inactivity_timeout.map(|it| it.as_secs()),
    })
}
