//! The audit record of a response that came from an upstream, once it has ended: what an access log
//! says. The record of the decision was written before; both have the id of the request.

use super::plain_json;
use serde::Serialize;

/// The record of one response. Members without a value are left out.
#[derive(Debug, Serialize)]
pub(super) struct ResponseRecord<'r> {
    pub(super) time: String,
    pub(super) request_id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace_id: Option<&'r str>,
    /// `response`: what tells it from the record of a decision.
    pub(super) record: &'static str,
    pub(super) status: u16,
    pub(super) route: &'r str,
    /// Of the content; `None` for what went through a WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Option<u64>,
    /// Whether the response was passed on to its end.
    pub(super) complete: bool,
    pub(super) duration_us: u64,
}

impl ResponseRecord<'_> {
    /// One line of JSON, without characters that a terminal acts on.
    pub(super) fn json(&self) -> Vec<u8> {
        plain_json::line(self)
    }

    /// One line for people.
    pub(super) fn text(&self) -> Vec<u8> {
        let Self {
            time,
            status,
            route,
            duration_us,
            request_id,
            ..
        } = self;
        // A WebSocket has no content to count.
        let bytes = match self.bytes {
            Some(bytes) => format!(" {bytes} bytes"),
            None => String::new(),
        };
        let end = if self.complete { "" } else { ", broken off" };
        let line = format!(
            "{time} response {status} [{route}]:{bytes} in {duration_us} us{end} ({request_id})\n"
        );
        line.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::page_tests;

    /// Every member has a value: a new one has to be written here, and so on the page.
    fn record() -> ResponseRecord<'static> {
        ResponseRecord {
            time: "2027-01-15T08:00:00Z".to_owned(),
            request_id: "a",
            trace_id: Some("b"),
            record: "response",
            status: 200,
            route: "orders",
            bytes: Some(12),
            complete: true,
            duration_us: 34,
        }
    }

    #[test]
    fn the_page_lists_every_member() {
        let listed = page_tests::members("**A response of an upstream**");
        assert_eq!(listed, page_tests::read_members(&record().json()));
    }

    #[test]
    fn a_line_for_people_says_whether_it_is_whole() {
        let text = |record: ResponseRecord<'_>| String::from_utf8(record.text()).unwrap();
        let whole = "2027-01-15T08:00:00Z response 200 [orders]: 12 bytes in 34 us (a)\n";
        assert_eq!(text(record()), whole);
        let broken = ResponseRecord {
            bytes: None,
            complete: false,
            ..record()
        };
        let end = "[orders]: in 34 us, broken off (a)\n";
        assert!(text(broken).ends_with(end));
    }
}
