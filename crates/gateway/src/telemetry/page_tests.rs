//! The page that lists the members of records, for the tests that compare it with what is written.

use serde_json::Value;
use std::collections::BTreeSet;

const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/how-to/logs-and-alerts.md"
);

/// The members in the table below a heading of the page.
pub(super) fn members(heading: &str) -> BTreeSet<String> {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (_, section) = page.split_once(heading).unwrap();
    let is_row = |line: &&str| line.starts_with('|');
    let rows = section
        .lines()
        .skip_while(|line| !is_row(line))
        .take_while(is_row);
    let mut found = BTreeSet::new();
    for row in rows {
        let cell = row.split('`').nth(1);
        let is_member = row.starts_with("| `");
        found.extend(cell.filter(|_| is_member).map(str::to_owned));
    }
    found
}

/// The members of a record as it is written.
pub(super) fn read_members(line: &[u8]) -> BTreeSet<String> {
    let record: Value = serde_json::from_slice(line).unwrap();
    let record = record.as_object().unwrap();
    record.keys().cloned().collect()
}
