//! Another library beside ours: what we accept, it accepts. How much more it accepts is printed,
//! for scale.

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use portcullis_testkit::CorpusVerifier;
use portcullis_testkit::corpus::{document, rows};
use serde_json::{Value, json};

/// Ordinary use: the key by its `kid`, the header's algorithm if the key names none, issuer and
/// audience.
fn accepted(token: &str, keys: &JwkSet) -> bool {
    let Ok(header) = decode_header(token) else {
        return false;
    };
    let key = match &header.kid {
        Some(kid) => keys.find(kid),
        None => keys.keys.first(),
    };
    key.is_some_and(|key: &Jwk| {
        let Ok(decoding) = DecodingKey::from_jwk(key) else {
            return false;
        };
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false; // its clock cannot be set
        validation.set_issuer(&["https://idp.example/tenant-a"]);
        validation.set_audience(&["https://api.example/orders"]);
        decode::<Value>(token, &decoding, &validation).is_ok()
    })
}

#[test]
fn another_library_accepts_what_we_accept() {
    let document = document("access-tokens.json");
    let line = CorpusVerifier::strict();
    let mut keys = document["jwks"]["https://idp.example/tenant-a"].clone();
    // That library does not know P-521.
    keys.as_array_mut()
        .unwrap()
        .retain(|key| key["crv"] != "P-521" && key["use"] != "enc");
    let keys: JwkSet = serde_json::from_value(json!({ "keys": keys })).unwrap();
    let (mut ours, mut more) = (0, 0);
    for row in rows(&document)
        .iter()
        .filter(|row| row["config"].is_null())
    {
        let (id, token) = (row["id"].as_str().unwrap(), row["token"].as_str().unwrap());
        let theirs = accepted(token, &keys);
        if line.verify(token).is_ok()
            && id != "base-es512"
            && id != "kid-missing"
            && id != "base-ed25519-name"
        {
            assert!(theirs, "{id}");
            ours += 1;
        }
        more += usize::from(theirs && row["expect"] == "reject");
    }
    println!(
        "differential: {ours} accepted by both; of the rejected, another library without time checks lets {more} pass"
    );
    assert!(ours > 30);
}
