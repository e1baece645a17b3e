//! The page that lists the members of records, for the tests that compare it with what is written.

use std::collections::BTreeSet;
use std::path::Path;

/// The members in the table below a heading of `docs/how-to/logs-and-alerts.md`.
pub(super) fn members(heading: &str) -> BTreeSet<String> {
    let path = "../../docs/how-to/logs-and-alerts.md";
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let page = std::fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once(heading).unwrap();
    let rows = section
        .lines()
        .skip_while(|line| !line.starts_with('|'));
    rows.take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect()
}

/// The members of a record as it is written.
pub(super) fn written(line: &[u8]) -> BTreeSet<String> {
    let record: serde_json::Value = serde_json::from_slice(line).unwrap();
    record.as_object().unwrap().keys().cloned().collect()
}
