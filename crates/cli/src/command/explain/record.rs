//! `portcullis explain --request-id`: the audit record of one request, told as an explanation is.

use super::columns::{ColumnPage, plain};
use super::reference::{CodeReference, LABELS};
use crate::clock::{distance, local, seconds_of};
use crate::exit::{CommandError, Exit};
use crate::output::{BAD, GOOD, STRONG, WARNING, paint};
use anstyle::Style;
use portcullis_core::rejection::quote;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

/// The records of one request, oldest first: a client may use one id several times.
#[derive(Debug)]
pub(super) struct AuditRecords {
    records: Vec<Value>,
}

impl AuditRecords {
    /// The records with this id in a file, or in standard input for `-`.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, and a file without such a record.
    pub(super) fn find(file: &Path, id: &str) -> Result<Self, CommandError> {
        let found = if file == Path::new("-") {
            search(std::io::stdin().lock(), id)
        } else {
            let opened = File::open(file);
            let opened = opened.map_err(|error| CommandError::in_file(file, error))?;
            search(BufReader::new(opened), id)
        }
        .map_err(|error| CommandError::in_file(file, error))?;
        if found.records.is_empty() {
            let problem = format!(
                "expected a record of the request {}, found {} other records and {} other lines",
                quote(id),
                found.others,
                found.unreadable
            );
            let help = "the response names the id in `x-request-id`; the record may be in a file \
                that was rotated, and `audit_format` must be `json`";
            return Err(CommandError::in_file(file, problem).help(help));
        }
        Ok(Self {
            records: found.records,
        })
    }

    /// The exit code: that of the latest outcome. The record of a response has none.
    pub(super) fn exit(&self) -> Exit {
        let mut latest = self.records.iter().rev();
        match latest.find_map(|record| text(record, "outcome")) {
            Some("deny") => Exit::Rejected,
            Some("allow" | "public") => Exit::Fine,
            // `fail`, and outcomes that this version does not know.
            _ => Exit::Outage,
        }
    }

    /// The page about them.
    pub(super) fn page(&self, width: usize, now: i64) -> String {
        let mut page = ColumnPage::new(width, LABELS);
        for record in &self.records {
            add(&mut page, record, now);
        }
        page.gap();
        page.into_text()
    }

    /// The same for programs.
    pub(super) fn document(&self) -> Value {
        let mut records = Vec::new();
        for record in &self.records {
            let reference = code(record).map(|reference| reference.document());
            records.push(json!({ "record": record, "code": reference }));
        }
        json!({ "records": records })
    }
}

/// What a search came upon.
#[derive(Debug, Default)]
struct SearchResult {
    records: Vec<Value>,
    others: usize,
    unreadable: usize,
}

fn search(mut input: impl BufRead, id: &str) -> std::io::Result<SearchResult> {
    let mut found = SearchResult::default();
    loop {
        // Bytes, not text: a line of another program need not be UTF-8, and ends nothing here.
        let mut line = Vec::new();
        // Bounded: no record is longer, but any file may be handed in.
        let read = input
            .by_ref()
            .take(LONGEST)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(found);
        }
        match serde_json::from_slice::<Value>(&line) {
            Ok(record) if text(&record, "request_id") == Some(id) => {
                // Bounded: a client may send one id with every request.
                if found.records.len() == MOST {
                    found.records.remove(0);
                }
                found.records.push(record);
            }
            // Counted apart: they tell a wrong id from a wrong file.
            Ok(record) if text(&record, "request_id").is_some() => found.others += 1,
            _ => found.unreadable += 1,
        }
    }
}

/// What kind of record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordKind {
    Decision,
    /// What the gateway answered in place of the upstream.
    Answer,
    /// What an upstream answered.
    Response,
}

impl RecordKind {
    fn of(record: &Value) -> Self {
        match text(record, "record") {
            Some("answer") => Self::Answer,
            Some("response") => Self::Response,
            _ => Self::Decision,
        }
    }
}

/// How the request ended, by this record.
fn ending(kind: RecordKind, record: &Value) -> (Style, String) {
    let code = || text(record, "code").map_or_else(|| "unknown".to_owned(), plain);
    match (kind, text(record, "outcome")) {
        // An upstream's status is not judged: a 404 may be what the caller wanted to know.
        (RecordKind::Response, _) if record.get("complete") == Some(&Value::Bool(false)) => {
            (WARNING, "answered, but not to the end".to_owned())
        }
        (RecordKind::Response, _) => (GOOD, "answered by the upstream".to_owned()),
        (RecordKind::Answer, Some("fail")) => (BAD, format!("let through, but failed: {}", code())),
        (RecordKind::Answer, Some("deny")) => {
            (BAD, format!("let through, then refused: {}", code()))
        }
        (_, Some("deny")) => (BAD, format!("refused: {}", code())),
        (_, Some("fail")) => (WARNING, format!("undecided: {}", code())),
        (_, Some("public")) => (GOOD, "let through: the route is public".to_owned()),
        (_, Some("allow")) => (GOOD, "let through".to_owned()),
        // Of another version, or not of a gateway: nothing may look like a leave to pass.
        _ => (WARNING, "recorded with an unknown outcome".to_owned()),
    }
}

fn add(page: &mut ColumnPage, record: &Value, now: i64) {
    // Paths, hosts and names in a record are the words of callers.
    let said = |name| text(record, name).map_or_else(|| "unknown".to_owned(), plain);
    let kind = RecordKind::of(record);
    let (style, ending) = ending(kind, record);
    page.line(&format!(
        "\n  {} {}\n",
        paint(STRONG, "This request was"),
        paint(style, &ending)
    ));
    // The other records leave these to the record of the decision before them.
    if kind == RecordKind::Decision {
        let request = format!("{} {}{}", said("method"), said("host"), said("path"));
        page.row("request", &request);
    }
    if let Some(moment) = text(record, "time") {
        page.row("time", &time(moment, now));
    }
    for (name, label) in [
        ("route", "route"),
        ("peer", "from"),
        ("subject", "subject"),
        ("kind", "kind"),
        ("client", "client"),
        ("tenant", "tenant"),
        ("issuer", "issuer"),
        ("facts", "because"),
        ("trace_id", "trace"),
        ("request_id", "request id"),
    ] {
        if let Some(text) = text(record, name) {
            page.row(label, &plain(text));
        }
    }
    if let Some(Value::Array(policies)) = record.get("policies") {
        let policies = policies.iter().filter_map(Value::as_str);
        page.row("policies", &super::columns::list(policies));
    }
    add_numbers(page, kind, record);
    if let Some(reference) = code(record) {
        page.gap();
        reference.add_rows(page);
    }
}

fn time(moment: &str, now: i64) -> String {
    match seconds_of(moment) {
        Some(seconds) => {
            let shown = local(seconds).unwrap_or_else(|| plain(moment));
            format!("{shown}, {}", distance(seconds.saturating_sub(now)))
        }
        None => plain(moment),
    }
}

fn add_numbers(page: &mut ColumnPage, kind: RecordKind, record: &Value) {
    let number = |name: &str| record.get(name).and_then(Value::as_u64);
    if let Some(took) = number("latency_us") {
        page.row("decided in", &format!("{took} microseconds"));
    }
    if let Some(status) = number("status") {
        let by = match kind {
            RecordKind::Response => "the upstream",
            _ => "the gateway itself",
        };
        page.row("answered", &format!("{status}, by {by}"));
    }
    if let Some(bytes) = number("bytes") {
        page.row("content", &format!("{bytes} bytes"));
    }
    if let Some(took) = number("duration_us") {
        page.row("ended after", &format!("{took} microseconds"));
    }
}

/// The entry of the code, for a request that was not let through.
fn code(record: &Value) -> Option<CodeReference> {
    CodeReference::of(text(record, "code")?)
}

fn text<'v>(record: &'v Value, name: &str) -> Option<&'v str> {
    record.get(name)?.as_str()
}

/// Most records that are shown: the latest.
const MOST: usize = 20;

/// The longest line, in bytes.
const LONGEST: u64 = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"
{"time":"2027-01-15T08:00:00Z","request_id":"a","outcome":"allow","code":"ok","method":"GET","host":"h","path":"/x","route":"r"}
not json
{"time":"2027-01-15T08:00:01Z","request_id":"b","outcome":"deny","code":"policy.scope","method":"GET","host":"h","path":"/\u001b[2J","route":"r","facts":"expected `a`, found `b`","policies":["p"],"latency_us":7}
"#;

    fn find(id: &str) -> AuditRecords {
        let records = search(LINES.as_bytes(), id).unwrap().records;
        AuditRecords { records }
    }

    #[test]
    fn a_record_is_told_as_a_verdict_is() {
        let denied = find("b");
        let page = anstream::adapter::strip_str(&denied.page(80, 1_800_000_061)).to_string();
        for expected in [
            "This request was refused: policy.scope",
            "1 min ago",
            r"GET h/\u{1b}[2J",
            "expected `a`, found `b`",
            "the access token lacks a scope",
            "7 microseconds",
        ] {
            assert!(page.contains(expected), "{expected}: {page}");
        }
        assert_eq!(denied.exit(), Exit::Rejected);
        assert_eq!(
            denied.document()["records"][0]["code"]["code"],
            "policy.scope"
        );
        let allowed = find("a");
        assert_eq!(allowed.exit(), Exit::Fine);
        assert!(allowed.page(80, 0).contains("let through"));
        let failed = LINES.to_owned()
            + r#"{"request_id":"a","record":"answer","outcome":"fail","code":"gateway.unreachable","status":502,"route":"r"}"#;
        let records = search(failed.as_bytes(), "a").unwrap().records;
        let failed = AuditRecords { records };
        let page = anstream::adapter::strip_str(&failed.page(80, 0)).to_string();
        assert!(page.contains("let through, but failed: gateway.unreachable"));
        assert!(page.contains("502, by the gateway itself"), "{page}");
        assert!(!page.contains("unknown"), "{page}");
        assert_eq!(failed.exit(), Exit::Outage);
        let passed = LINES.to_owned()
            + r#"{"request_id":"a","record":"response","status":200,"route":"r","bytes":12,"complete":false,"duration_us":9}"#;
        let records = search(passed.as_bytes(), "a").unwrap().records;
        let passed = AuditRecords { records };
        let page = anstream::adapter::strip_str(&passed.page(80, 0)).to_string();
        for expected in [
            "answered, but not to the end",
            "200, by the upstream",
            "12 bytes",
            "9 microseconds",
        ] {
            assert!(page.contains(expected), "{expected}: {page}");
        }
        assert!(!page.contains("unknown"), "{page}");
        assert_eq!(passed.exit(), Exit::Fine);
        let odd = r#"{"request_id":"a","outcome":"x"}"#;
        let records = search(odd.as_bytes(), "a").unwrap().records;
        let odd = AuditRecords { records };
        assert_eq!(odd.exit(), Exit::Outage);
        assert!(odd.page(80, 0).contains("an unknown outcome"));
        let many = search(LINES.repeat(50).as_bytes(), "a").unwrap();
        assert_eq!(many.records.len(), MOST);
        let found = search(LINES.as_bytes(), "c").unwrap();
        assert_eq!(
            (found.records.len(), found.others, found.unreadable),
            (0, 2, 2)
        );
    }
}
