//! 239 targets: which route a path falls to.

use super::case::{Case, Outcome};
use super::doors::Doors;
use super::{Row, run};
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
async fn a_path_falls_under_the_same_rule() {
    let tokens = document("access-tokens.json");
    let worlds = BTreeMap::from([("default", Doors::of_corpus(&tokens, "default").await)]);
    let document = document("request-paths.json");
    let table: Vec<_> = rows(&document)
        .iter()
        .map(|row| ("default", asked(row)))
        .collect();
    assert_eq!(table.len(), 239);
    run("request-paths", &worlds, &table).await;
}

fn asked(row: &Value) -> Row {
    let target = row["target"].as_str().unwrap().to_owned();
    let mut case = Case::get(&target);
    for pair in row["headers"].as_array().into_iter().flatten() {
        case = case.with(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    }
    let expected = row["expect"].as_str().unwrap().to_owned();
    let or_protected = row["or_protected"] == true;
    let or_reject = row["or_reject"] == true;
    let judge = move |outcome: &Outcome| {
        let found = match outcome.status {
            200 => "public",
            401 => "protected",
            400 | 421 => "reject",
            _ => "something else",
        };
        let fits = found == expected
            || (or_protected && found == "protected")
            || (or_reject && found == "reject");
        if fits {
            Ok(())
        } else {
            Err(format!("{found}, not {expected}"))
        }
    };
    Row {
        id: target,
        case,
        judge: Box::new(judge),
    }
}
