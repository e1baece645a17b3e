//! Whatever we accept, another library accepts.

#![no_main]

use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use libfuzzer_sys::fuzz_target;
use portcullis_core::credential::Credential;
use portcullis_fuzz::{key_set, runtime, server};
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if runtime().block_on(server().authenticate(Credential::bearer(text))).is_err() {
        return;
    }
    let header = decode_header(text).expect("another library reads the header");
    let jwk = match &header.kid {
        // Without a `kid` we try what fits, and that library knows no P-521: nothing to compare.
        Some(kid) if kid != "ec-521" => key_set().find(kid).expect("the key is in the set").clone(),
        _ => return,
    };
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.set_issuer(&["https://idp.example/tenant-a"]);
    validation.set_audience(&["https://api.example/orders"]);
    decode::<Value>(text, &DecodingKey::from_jwk(&jwk).expect("a key"), &validation)
        .expect("another library accepts it");
});
