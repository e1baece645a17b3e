//! Any bytes as one key.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_core::Limits;
use portcullis_core::jose::{VerifyingKey, json};

fuzz_target!(|data: &[u8]| {
    let Ok(value) = json::parse(data, &Limits::default()) else { return };
    if let Ok(key) = VerifyingKey::from_jwk(&value) {
        let jwk = value.as_object().expect("a key is an object");
        assert!(jwk.get("d").is_none() && jwk.get("k").is_none());
        assert!(key.algorithms().count() > 0);
    }
});
