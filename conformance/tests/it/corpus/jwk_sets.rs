//! 69 key sets: which keys are of use, or whether the document is refused.

use crate::tally::Tally;
use portcullis_core::Limits;
use portcullis_core::jose::Jwks;
use portcullis_testkit::corpus::{document, rows};
use std::collections::BTreeSet;

/// Where the corpus leaves the choice, ours differs from the row in these: `x5c` is ignored, as the
/// key is what its members say, and a padded modulus is not canonical base64url.
const CHOSEN_OTHERWISE: &[&str] = &["x5c-mismatch"];

#[test]
fn every_key_set_gets_its_answer() {
    let document = document("jwk-sets.json");
    let mut tally = Tally::new("corpus jwk-sets");
    for row in rows(&document) {
        let id = row["id"].as_str().unwrap();
        let result = Jwks::parse(row["body"].as_str().unwrap().as_bytes(), &Limits::default());
        let as_expected = match (&result, row["document"].as_str().unwrap()) {
            (Ok(set), "accept") => {
                let usable: BTreeSet<&str> =
                    set.keys().iter().filter_map(|key| key.kid()).collect();
                let wanted: BTreeSet<&str> = row["usable_kids"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|kid| kid.as_str())
                    .collect();
                let unnamed = set
                    .keys()
                    .iter()
                    .filter(|key| key.kid().is_none())
                    .count();
                usable == wanted && unnamed == row["unnamed"].as_u64().unwrap_or(0) as usize
            }
            (Err(_), "refuse") => true,
            _ => false,
        };
        let otherwise = CHOSEN_OTHERWISE.contains(&id);
        assert!(!otherwise || row["either"] == true, "{id} leaves no choice");
        tally.count(id, as_expected != otherwise, || format!("{result:?}"));
    }
    tally.finish(69);
}
