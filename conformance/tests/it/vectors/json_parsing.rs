//! 318 JSON documents: good ones are read, but for repeated members; bad ones are refused; none
//! does harm.

use super::vectors;
use crate::tally::Tally;
use base64_of_tests::decode;
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, JsonFaultKind};
use serde_json::Value;

#[test]
fn every_document_gets_its_answer() {
    let Some(document) = vectors("json-parsing/json_test_suite.json") else {
        return;
    };
    let limits = Limits {
        json_depth: 600,
        json_values: 1_000_000,
        ..Limits::default()
    };
    let mut tally = Tally::new("json-parsing");
    let mut read_alike = 0;
    for row in document["vectors"].as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let bytes = bytes(row);
        let result = json::parse(&bytes, &limits);
        let repeated =
            matches!(&result, Err(fault) if fault.kind() == JsonFaultKind::RepeatedMember);
        let right = match row["expect"].as_str().unwrap() {
            "accept" => result.is_ok() || repeated && name.contains("duplicated"),
            "reject" => result.is_err(),
            _ => true,
        };
        if let (Ok(ours), Ok(theirs)) = (&result, serde_json::from_slice::<Value>(&bytes)) {
            assert_eq!(serde_json::to_value(ours).unwrap(), theirs, "{name}");
            read_alike += 1;
        }
        tally.count(name, right, || format!("{result:?}"));
    }
    println!("  read, and read alike by another parser: {read_alike}");
    tally.finish(318);
}

fn bytes(row: &Value) -> Vec<u8> {
    match row["base64"].as_str() {
        Some(text) => decode(text),
        None => {
            let repeat = &row["repeat"];
            let count = repeat["count"].as_u64().unwrap() as usize;
            let mut text = repeat["unit"].as_str().unwrap().repeat(count);
            if repeat["trailing_newline"] == true {
                text.push('\n');
            }
            text.into_bytes()
        }
    }
}

mod base64_of_tests {
    use portcullis_core::jose::base64url;

    /// The vectors are in the other base64: with padding, and two other characters.
    pub(super) fn decode(text: &str) -> Vec<u8> {
        let text = text
            .trim_end_matches('=')
            .replace('+', "-")
            .replace('/', "_");
        base64url::decode(&text).unwrap()
    }
}
