//! The corpus through the production code.

mod access_tokens;
mod authorization_header;
mod differential;
pub(crate) mod dpop_proofs;
mod introspection_responses;
mod jwk_sets;
mod logout_and_events;
mod scope_decisions;
mod server;

use portcullis_testkit::CorpusVerifier;
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;

/// Every token of the corpus that is refused, with the code.
pub(crate) fn verdicts() -> Vec<(String, String)> {
    let document = document("access-tokens.json");
    let lines = ["default", "lenient-typ", "two-issuers"]
        .map(|name| (name, CorpusVerifier::new(&document, name)));
    rows(&document)
        .iter()
        .filter_map(|row| {
            let name = row["config"].as_str().unwrap_or("default");
            let (_, line) = lines.iter().find(|(line, _)| *line == name)?;
            let rejection = line.verify(row["token"].as_str()?).err()?;
            Some((row["id"].as_str()?.to_owned(), rejection.code().to_string()))
        })
        .collect()
}

/// A change of a row is a change of one line, and no corpus is without its line in the README.
#[test]
fn every_row_is_a_line_and_every_file_is_described() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");
    let readme = std::fs::read_to_string(format!("{folder}/README.md")).unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name == "README.md" {
            continue;
        }
        files += 1;
        assert!(readme.contains(&format!("| `{name}` |")), "{name}");
        let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
        let lines: Vec<Value> = text.lines().filter_map(row).collect();
        for row in rows(&document(&name)) {
            assert!(lines.contains(row), "{name}: not a line: {row}");
        }
    }
    assert_eq!(files, 18);
}

/// What a line holds, where it holds one value of its own.
fn row(line: &str) -> Option<Value> {
    serde_json::from_str(line.trim().trim_end_matches(',')).ok()
}
