//! RFC 7517: JSON Web Key.

use super::{key, key_set, key_with};
use portcullis_core::jose::{Algorithm, JwkFault, Selection};
use serde_json::{Value, json};

fn skipped(key: Value) -> JwkFault {
    key_set(json!([key, super::key("ec-384")]))
        .unwrap()
        .skipped_keys()[0]
        .fault
}

/// 4.1: `kty` must be there, and compares with case
#[test]
fn section_4_1_kty() {
    assert_eq!(
        skipped(key_with("rsa-1", "kty", Value::Null)),
        JwkFault::KeyType
    );
    assert_eq!(
        skipped(key_with("rsa-1", "kty", json!("rsa"))),
        JwkFault::KeyType
    );
}

/// 4.2: a key whose `use` is not `sig` verifies nothing
#[test]
fn section_4_2_use() {
    assert_eq!(
        skipped(key_with("rsa-1", "use", json!("enc"))),
        JwkFault::NotForSignatures
    );
    assert!(key_set(json!([key_with("rsa-1", "use", Value::Null)])).is_ok());
}

/// 4.3: a key whose `key_ops` do not hold `verify` verifies nothing
#[test]
fn section_4_3_key_ops() {
    assert_eq!(
        skipped(key_with("rsa-1", "key_ops", json!(["encrypt"]))),
        JwkFault::NotForSignatures
    );
    assert!(key_set(json!([key_with("rsa-1", "key_ops", json!(["verify"]))])).is_ok());
}

/// 4.4: a key with `alg` is used with that algorithm only
#[test]
fn section_4_4_alg() {
    let set = key_set(json!([key("rsa-1")])).unwrap();
    assert!(matches!(
        set.select(Some("rsa-1"), Algorithm::RS256),
        Selection::Keys(_)
    ));
    assert!(matches!(
        set.select(Some("rsa-1"), Algorithm::PS256),
        Selection::WrongAlgorithm
    ));
    assert_eq!(
        skipped(key_with("rsa-1", "alg", json!("ES256"))),
        JwkFault::Algorithm
    );
}

/// 4.5: keys that share a `kid` are told apart by type and algorithm
#[test]
fn section_4_5_shared_kid() {
    let set = key_set(json!([
        key_with("rsa-1", "kid", json!("k")),
        key_with("ec-1", "kid", json!("k"))
    ]))
    .unwrap();
    for algorithm in [Algorithm::RS256, Algorithm::ES256] {
        let Selection::Keys(keys) = set.select(Some("k"), algorithm) else {
            panic!("{algorithm}")
        };
        assert!(keys.len() == 1 && keys[0].allows(algorithm));
    }
}

/// 4: members that are not understood are ignored
#[test]
fn section_4_unknown_members() {
    assert!(key_set(json!([key_with("rsa-1", "issuer", json!("x"))])).is_ok());
}

/// 5: a key set is an object with an array `keys`
#[test]
fn section_5_keys() {
    let parse = |text: &str| {
        portcullis_core::jose::Jwks::parse(text.as_bytes(), &portcullis_core::Limits::default())
    };
    for text in [
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"keys\":[]}",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

/// 5: keys of unknown types, or without what they need, are ignored; the others stay
#[test]
fn section_5_bad_keys_are_ignored() {
    let set =
        key_set(json!([{ "kty": "AKP", "alg": "ML-DSA-44" }, { "kty": "RSA" }, 7, key("ec-1")]))
            .unwrap();
    assert_eq!((set.keys().len(), set.skipped_keys().len()), (1, 3));
}

/// 9.3: a key that is published with its private part is not used
#[test]
fn section_9_3_private_keys() {
    assert_eq!(
        skipped(key_with("ec-1", "d", json!("AAAA"))),
        JwkFault::Secret
    );
    assert_eq!(
        skipped(json!({ "kty": "oct", "k": "AAAA" })),
        JwkFault::Secret
    );
}
