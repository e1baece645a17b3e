//! The examples that the specifications print: RFC 7515, 7517, 7519, 7520, 8037.

use super::{public, vectors, verifies};
use crate::tally::Tally;
use portcullis_core::Limits;
use portcullis_core::jose::{Jwks, compact};
use serde_json::{Value, json};

#[test]
fn signatures_of_the_rfcs() {
    let Some(document) = vectors("rfc-examples/jws.json") else {
        return;
    };
    let mut tally = Tally::new("rfc-examples jws");
    for row in document["vectors"].as_array().unwrap() {
        let token = row["token"].as_str().unwrap();
        let asymmetric = row["jwk"].is_object() && row["jwk"]["kty"] != "oct";
        let right = if asymmetric {
            let expected = row["expect"] == "signature-valid";
            verifies(token, &json!({ "keys": [row["jwk"]] })) == expected
        } else {
            compact::parse_jws(token, &Limits::default()).is_err()
        };
        tally.count(row["id"].as_str().unwrap(), right, || {
            row["note"].to_string()
        });
    }
    tally.finish(10);
}

#[test]
fn the_key_set_of_rfc_7517() {
    let Some(document) = vectors("rfc-examples/jwks-rfc7517-a1.json") else {
        return;
    };
    let set = if document["keys"].is_array() {
        document
    } else {
        find_keys(&document).unwrap()
    };
    let keys = Jwks::parse(set.to_string().as_bytes(), &Limits::default()).unwrap();
    // The first of the two is for encryption.
    assert_eq!(
        keys.keys().iter().map(|key| key.kid()).collect::<Vec<_>>(),
        [Some("2011-04-29")]
    );
    crate::tally::totals("rfc-examples jwks", 1, 1, 0);
}

fn find_keys(value: &Value) -> Option<Value> {
    match value {
        Value::Object(members) if members.get("keys").is_some_and(Value::is_array) => {
            Some(value.clone())
        }
        Value::Object(members) => members.values().find_map(find_keys),
        Value::Array(elements) => elements.iter().find_map(find_keys),
        _ => None,
    }
}

#[test]
fn signatures_of_the_cookbook() {
    let files = [
        ("jws/4_1.rsa_v15_signature.json", true),
        ("jws/4_2.rsa-pss_signature.json", true),
        ("jws/4_3.ecdsa_signature.json", true),
        ("jws/4_4.hmac-sha2_integrity_protection.json", false),
        ("jws/4_5.signature_with_detached_content.json", false),
        ("jws/4_6.protecting_specific_header_fields.json", false),
        ("jws/4_7.protecting_content_only.json", false),
        ("jws/4_8.multiple_signatures.json", false),
        ("curve25519/jws.json", true),
        ("rfc7797/4.2.hmac-sha2_b64_false.json", false),
    ];
    let mut tally = Tally::new("jose-cookbook jws");
    for (file, valid) in files {
        let Some(document) = vectors(&format!("jose-cookbook/{file}")) else {
            return;
        };
        let output = &document["output"];
        let forms = [&output["compact"], &output["json"], &output["json_flat"]]
            .into_iter()
            .filter(|form| !form.is_null());
        for form in forms {
            let text = form
                .as_str()
                .map_or_else(|| form.to_string(), str::to_owned);
            let key = &document["input"]["key"];
            let set = json!({ "keys": [if key.is_object() { public(key) } else { Value::Null }] });
            let wanted = valid && form.is_string();
            tally.count(
                &format!("{file} {}", text.len()),
                verifies(&text, &set) == wanted,
                || form.to_string(),
            );
        }
    }
    tally.finish(15);
}
