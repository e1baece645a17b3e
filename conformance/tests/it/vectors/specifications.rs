//! The examples that the specifications print: RFC 7515, 7517, 7519, 7520, 8037, 8705, 9449.

use super::{public, vectors, verifies};
use crate::tally::Tally;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_core::EffectiveUrl;
use portcullis_core::Limits;
use portcullis_core::credential::{Credential, Scheme};
use portcullis_core::jose::{Jwks, compact};
use portcullis_core::proof::{Possession, Presentation, ProofTerms, Thumbprint, prove};
use portcullis_core::token::introspection::Answer;
use portcullis_core::token::{Audiences, Issuer, NumericDate};
use portcullis_core::verify::{Profile, Verifier};
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
        keys.keys()
            .iter()
            .map(|key| key.kid())
            .collect::<Vec<_>>(),
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

/// The proof that RFC 9449 shows at a resource; those for its token endpoint name no token.
#[test]
fn proofs_of_rfc_9449() {
    let Some(document) = vectors("rfc-examples/dpop.json") else {
        return;
    };
    let mut tally = Tally::new("rfc-examples dpop");
    for row in document["vectors"].as_array().unwrap() {
        let (Some(proof), Some(token)) = (row["proof"].as_str(), row["access_token"].as_str())
        else {
            continue;
        };
        let jkt = row["jkt"].as_str().unwrap();
        let now = NumericDate::from_seconds(row["now"].as_i64().unwrap());
        let answer = json!({ "active": true, "sub": "s", "aud": "api", "cnf": { "jkt": jkt } });
        let answer = Answer::parse(answer.to_string().as_bytes(), &Limits::default()).unwrap();
        let issuer = Issuer::parse("https://server.example.com").unwrap();
        let audiences = Audiences::new(["api"]).unwrap();
        let verifier = Verifier::new(issuer, audiences, Profile::generic());
        let verified = verifier.verify_answer(answer.into_claims().unwrap(), now);
        let mut headers = http::HeaderMap::new();
        headers.insert("dpop", proof.parse().unwrap());
        let method = row["method"].as_str().unwrap().parse().unwrap();
        let url = EffectiveUrl::parse(row["uri"].as_str().unwrap());
        let presentation = Presentation {
            scheme: Scheme::Dpop,
            method: &method,
            url: url.as_ref(),
            ..Presentation::bearer(Credential::bearer(token), &headers)
        };
        let proven = prove(
            verified.unwrap(),
            &presentation,
            &ProofTerms::default(),
            now,
        );
        let right = matches!(proven, Ok(Possession::Proven(_)));
        tally.count(row["id"].as_str().unwrap(), right, || format!("{proven:?}"));
    }
    tally.finish(1);
}

#[test]
fn the_certificate_of_rfc_8705() {
    let Some(document) = vectors("rfc-examples/mtls-cnf.json") else {
        return;
    };
    let row = &document["vectors"][0];
    let der = STANDARD.decode(row["certificate_der_base64"].as_str().unwrap());
    let thumbprint = Thumbprint::of_certificate(&der.unwrap());
    assert_eq!(thumbprint.to_string(), row["x5t_s256"]);
}
