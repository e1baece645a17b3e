//! What the tokens of the corpus cost, with the keys and at the time they were made for.

use crate::token::flipped;
use crate::{median, timed};
use line::Line;
use serde_json::Value;
use std::collections::BTreeMap;
use std::hint::black_box;

#[allow(dead_code, reason = "the suites of the corpus need more of it")]
#[path = "../../../../conformance/tests/it/corpus/line.rs"]
mod line;

/// The clock of the corpus.
const NOW: i64 = 1_800_000_000;

fn document(name: &str) -> Value {
    let path = format!("{}/../../conformance/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'v>(row: &'v Value, member: &str) -> Option<&'v str> {
    row.get(member).and_then(Value::as_str)
}

/// Every token of the corpus as a multiple of an ordinary refusal, a good token of RS256 with a wrong bit in its
/// signature; the dearest first. The two take turns.
pub(crate) fn multiples() -> Vec<(f64, String)> {
    let document = document("access-tokens.json");
    let rows = document.get("vectors").and_then(Value::as_array).unwrap();
    let lines: BTreeMap<&str, Line> = ["default", "lenient-typ", "two-issuers"]
        .into_iter()
        .map(|name| (name, Line::new(&document, name)))
        .collect();
    let usual = &lines["default"];
    let good = rows.iter().find(|row| text(row, "id") == Some("base-rs256")).unwrap();
    let ordinary = flipped(text(good, "token").unwrap());
    assert_eq!(usual.verify(&ordinary).unwrap_err().code().as_str(), "token.signature");
    let mut multiples: Vec<(f64, String)> = rows
        .iter()
        .map(|row| {
            let line = &lines[text(row, "config").unwrap_or("default")];
            let cost = |line: &Line, token: &str| timed(|| _ = black_box(line.verify(black_box(token))));
            let token = text(row, "token").unwrap();
            let ratios = (0..9).map(|_| cost(line, token) / cost(usual, &ordinary));
            (median(ratios.collect()), text(row, "id").unwrap().to_owned())
        })
        .collect();
    multiples.sort_by(|a, b| b.0.total_cmp(&a.0));
    multiples
}
