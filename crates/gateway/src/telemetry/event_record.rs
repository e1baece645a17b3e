//! The audit record of a logout or a security event that came.

use super::plain_json;
use crate::decision::time::utc;
use crate::request::caller::Caller;
use portcullis_core::token::NumericDate;
use portcullis_resource_server::EventReport;
use serde::Serialize;

/// The record of one event. Members without a value are left out.
#[derive(Debug, Serialize)]
pub(crate) struct EventRecord<'r> {
    time: String,
    /// None of an event that was fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'r str>,
    /// `event`: what tells it from the record of a decision.
    record: &'static str,
    /// `applied`, `repeated`, `ignored`, `unmapped`, `refused` or `failed`.
    outcome: &'static str,
    /// `logout`, or the name of the stream.
    receiver: &'r str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'r str>,
    /// What is refused from now on: kinds and digests, and no names.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    marks: &'r [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<Caller>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<&'r str>,
}

impl<'r> EventRecord<'r> {
    pub(crate) fn new(
        now: NumericDate,
        request_id: Option<&'r str>,
        report: &'r EventReport,
        peer: Option<Caller>,
    ) -> Self {
        Self {
            time: utc(now),
            request_id,
            record: "event",
            outcome: report.outcome.as_str(),
            receiver: &report.receiver,
            event: report.event,
            jti: report.token_id.as_deref(),
            marks: &report.marks,
            peer,
            facts: report.facts.as_deref(),
        }
    }

    /// One line of JSON, without characters that a terminal acts on.
    pub(crate) fn json(&self) -> Vec<u8> {
        plain_json::line(self)
    }

    /// One line for people.
    pub(crate) fn text(&self) -> Vec<u8> {
        let Self {
            time,
            outcome,
            event,
            receiver,
            request_id,
            ..
        } = self;
        let mut line = format!("{time} event  {outcome:<8} {event} [{receiver}]");
        if !self.marks.is_empty() {
            line.push_str(&format!(" ends {}", self.marks.join(" ")));
        }
        if let Some(peer) = self.peer {
            line.push_str(&format!(" from {peer}"));
        }
        if let Some(facts) = self.facts {
            line.push_str(&format!(": {}", facts.escape_debug()));
        }
        if let Some(request_id) = request_id {
            line.push_str(&format!(" ({request_id})"));
        }
        line.push('\n');
        line.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::page_tests;
    use std::net::Ipv4Addr;

    /// Every member has a value: a new one has to be written here, and so on the page.
    #[test]
    fn the_page_lists_every_member() {
        let record = EventRecord {
            time: String::new(),
            request_id: Some(""),
            record: "event",
            outcome: "",
            receiver: "",
            event: "",
            jti: Some(""),
            marks: &[String::new()],
            peer: Some(Caller::Direct(Ipv4Addr::LOCALHOST.into())),
            facts: Some(""),
        };
        let listed = page_tests::members("**A logout or a security event**");
        assert_eq!(listed, page_tests::read_members(&record.json()));
    }
}
