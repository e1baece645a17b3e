//! Any bytes as one key.

use portcullis_core::Limits;
use portcullis_core::jose::{VerifyingKey, json};

pub(crate) fn run(data: &[u8]) {
    let Ok(value) = json::parse(data, &Limits::default()) else {
        return;
    };
    if let Ok(key) = VerifyingKey::from_jwk(&value) {
        let jwk = value.as_object().expect("a key is an object");
        // A member that is `null` is absent.
        let is_absent = |name| {
            jwk.get(name)
                .is_none_or(|value| *value == json::Json::Null)
        };
        assert!(is_absent("d") && is_absent("k"));
        assert!(key.algorithms().count() > 0);
    }
}
