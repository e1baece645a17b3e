//! What the tokens of the corpus cost, with the keys and at the time they were made for.

use crate::timed;
use crate::token::flipped;
use portcullis_core::Limits;
use portcullis_core::jose::compact;
use portcullis_testkit::CorpusVerifier;
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

fn text<'v>(row: &'v Value, member: &str) -> Option<&'v str> {
    row.get(member).and_then(Value::as_str)
}

/// The corpus' tokens, and the good one of each algorithm with a wrong bit in its signature: an
/// ordinary refusal.
pub(crate) struct Corpus {
    document: Value,
    lines: BTreeMap<&'static str, CorpusVerifier>,
    ordinary: BTreeMap<&'static str, String>,
}

/// Good tokens of the corpus; the first stands for algorithms that have none, and for no algorithm
/// at all.
const GOOD: [&str; 6] = [
    "base-rs256",
    "base-ps256",
    "base-es256",
    "base-es384",
    "base-es512",
    "base-eddsa",
];

impl Corpus {
    pub(crate) fn read() -> Self {
        let document = document("access-tokens.json");
        let lines = ["default", "lenient-typ", "two-issuers"]
            .map(|name| (name, CorpusVerifier::new(&document, name)));
        let good = rows(&document)
            .iter()
            .filter(|row| GOOD.contains(&text(row, "id").unwrap()));
        let ordinary = good
            .map(|row| text(row, "token").unwrap())
            .map(|token| (algorithm(token), flipped(token)));
        let (lines, ordinary) = (lines.into(), ordinary.collect());
        Self {
            document,
            lines,
            ordinary,
        }
    }

    /// What an ordinary refusal costs by algorithm, as a multiple of one of RS256: the price of the
    /// issuer's choice.
    pub(crate) fn algorithms(&self) -> Vec<(f64, &'static str)> {
        let compare = |token: &String| self.multiple("default", token, &self.ordinary["RS256"]);
        self.ordinary
            .iter()
            .map(|(name, token)| (compare(token), *name))
            .collect()
    }

    /// Every token as a multiple of an ordinary refusal of its algorithm, the dearest first: what
    /// its shape adds.
    pub(crate) fn shapes(&self) -> Vec<(f64, String)> {
        let compare = |row: &Value| {
            let token = text(row, "token").unwrap();
            let ordinary = self
                .ordinary
                .get(algorithm(token))
                .unwrap_or(&self.ordinary["RS256"]);
            self.multiple(text(row, "config").unwrap_or("default"), token, ordinary)
        };
        let mut shapes: Vec<(f64, String)> = rows(&self.document)
            .iter()
            .map(|row| (compare(row), text(row, "id").unwrap().to_owned()))
            .collect();
        shapes.sort_by(|a, b| b.0.total_cmp(&a.0));
        shapes
    }

    /// One token against another: the least time of many short stretches in turns, as what else the
    /// machine does can only add.
    fn multiple(&self, line: &str, token: &str, ordinary: &str) -> f64 {
        let cost = |line: &str, token: &str| {
            timed(Duration::from_micros(100), || {
                _ = black_box(self.lines[line].verify(black_box(token)));
            })
        };
        let (mut ours, mut theirs) = (f64::MAX, f64::MAX);
        for _ in 0..50 {
            ours = ours.min(cost(line, token));
            theirs = theirs.min(cost("default", ordinary));
        }
        ours / theirs
    }
}

/// The algorithm that a token names, as far as it can be read.
fn algorithm(token: &str) -> &'static str {
    compact::parse_jws(token, &Limits::default())
        .map_or("none", |jws| jws.header().algorithm.name())
}
