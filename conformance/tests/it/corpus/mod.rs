//! The corpus through the production code.

mod access_tokens;
mod authorization_header;
mod differential;
mod introspection_responses;
mod jwk_sets;
pub(crate) mod line;
mod scope_decisions;
mod server;

use serde_json::Value;

/// The clock of the corpus: 2027-01-15T08:00:00Z.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) fn document(name: &str) -> Value {
    let path = format!("{}/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn rows(document: &Value) -> &[Value] {
    document["vectors"].as_array().unwrap()
}

/// Every token of the corpus that is refused, with the code.
pub(crate) fn verdicts() -> Vec<(String, String)> {
    let document = document("access-tokens.json");
    let lines = ["default", "lenient-typ", "two-issuers"]
        .map(|name| (name, line::Line::new(&document, name)));
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
