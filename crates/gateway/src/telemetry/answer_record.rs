//! The audit record of a request that was let through, and that the gateway answered in place of
//! the upstream. The record of the decision was written before; both have the id of the request.

use super::plain_json;
use super::record::cut_facts;
use crate::decision::time::utc;
use crate::refusal::Refusal;
use portcullis_core::CodeLinks;
use portcullis_core::token::NumericDate;
use serde::Serialize;

/// The record of one answer. Members without a value are left out.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerRecord<'r> {
    time: String,
    request_id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'r str>,
    /// `answer`: what tells it from the record of a decision.
    record: &'static str,
    /// `fail`, or `deny` if the request itself is at fault, such as a body that is too large.
    outcome: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_url: Option<String>,
    status: u16,
    route: &'r str,
    facts: String,
}

/// The request that was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnsweredRequest<'r> {
    pub(crate) id: &'r str,
    pub(crate) trace_id: Option<&'r str>,
    pub(crate) route: &'r str,
}

impl<'r> AnswerRecord<'r> {
    pub(crate) fn new(
        now: NumericDate,
        request: AnsweredRequest<'r>,
        refusal: &Refusal,
        links: &CodeLinks,
    ) -> Self {
        let (code, status) = (refusal.code(), refusal.status());
        Self {
            time: utc(now),
            request_id: request.id,
            trace_id: request.trace_id,
            record: "answer",
            outcome: match status.is_server_error() {
                true => "fail",
                false => "deny",
            },
            code,
            code_url: links.link(code),
            status: status.as_u16(),
            route: request.route,
            facts: cut_facts(&refusal.to_string()),
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
            code,
            status,
            route,
            request_id,
            ..
        } = self;
        let facts = self.facts.escape_debug();
        let line =
            format!("{time} answer {outcome} {code} {status} [{route}]: {facts} ({request_id})\n");
        line.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::page_tests;

    /// Every member has a value: a new one has to be written here, and so on the page.
    #[test]
    fn the_page_lists_every_member() {
        let record = AnswerRecord {
            time: String::new(),
            request_id: "",
            trace_id: Some(""),
            record: "answer",
            outcome: "",
            code: "",
            code_url: Some(String::new()),
            status: 502,
            route: "",
            facts: String::new(),
        };
        let listed = page_tests::members("**An answer of the gateway** in place");
        assert_eq!(listed, page_tests::read_members(&record.json()));
    }
}
