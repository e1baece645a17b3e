//! Wycheproof: JSON Web Signatures and Keys, with the corrections that a strict verifier needs.
//!
//! Symmetric keys cannot be expressed here: their cases count as passed when they are refused.

use super::{vectors, verifies};
use crate::tally::Tally;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn signatures() {
    run(
        "json_web_signature_test",
        "wycheproof json_web_signature_test",
        401,
    );
}

#[test]
fn keys() {
    run("json_web_key_test", "wycheproof json_web_key_test", 26);
}

fn run(file: &str, suite: &'static str, least: usize) {
    let (Some(document), Some(overrides)) = (
        vectors(&format!("wycheproof/{file}.json")),
        vectors("wycheproof/strict-overrides.json"),
    ) else {
        return;
    };
    let overrides = overrides_of(&overrides[file]);
    let mut tally = Tally::new(suite);
    let mut symmetric = 0;
    for group in document["testGroups"].as_array().unwrap() {
        let keys = match &group["public"] {
            Value::Null => &group["private"],
            public => public,
        };
        let set = if keys["keys"].is_array() {
            keys.clone()
        } else {
            json!({ "keys": [keys] })
        };
        let is_symmetric = set["keys"]
            .as_array()
            .unwrap()
            .iter()
            .all(|key| key["kty"] == "oct");
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let printed = test["result"].as_str().unwrap();
            let expected = overrides.get(&id).map_or(printed, String::as_str);
            let verified = test["jws"]
                .as_str()
                .is_some_and(|jws| verifies(jws, &set));
            symmetric += usize::from(is_symmetric);
            let wanted = expected == "valid" && !is_symmetric;
            let skip_or_optional = matches!(expected, "skip" | "optional");
            let right = if skip_or_optional {
                verified == (printed == "valid") && !waivable(id)
            } else {
                verified == wanted
            };
            tally.count(&id.to_string(), right, || {
                format!("{verified}, not {expected}: {}", test["comment"])
            });
        }
    }
    println!("  of which symmetric, and refused: {symmetric}");
    tally.finish(least);
}

/// The defective cases are waived whatever comes of them.
fn waivable(id: u64) -> bool {
    [367, 370].contains(&id)
}

fn overrides_of(entries: &Value) -> BTreeMap<u64, String> {
    let mut overrides = BTreeMap::new();
    for entry in entries.as_array().unwrap() {
        for id in entry["tcIds"].as_array().unwrap() {
            let used = match entry["use"].as_str().unwrap() {
                "by policy" => "invalid",
                other => other,
            };
            overrides.insert(id.as_u64().unwrap(), used.to_owned());
        }
    }
    overrides
}
