//! RFC 8037: Ed25519 in JOSE.

use super::{RfcSetup, key_set, key_with};
use portcullis_core::jose::JwkFault;
use serde_json::json;

/// 3.1: `EdDSA` with Ed25519 keys is verified, and so is its name `Ed25519` (RFC 9864, 2.2)
#[tokio::test]
async fn section_3_1_eddsa() {
    let world = RfcSetup::with("EdDSA", "rfc9068").await;
    assert_eq!(world.decide(&world.token().sign()).await, "allow");
    assert_eq!(
        world
            .decide(&world.token().header("alg", "Ed25519").sign())
            .await,
        "allow"
    );
    assert_eq!(
        world
            .decide(&world.token().signature_flipped().sign())
            .await,
        "token.signature"
    );
}

/// 2, 3.2: keys for key agreement verify nothing
#[test]
fn section_3_2_x25519_is_no_signature_key() {
    let set = key_set(json!([
        key_with("ed-1", "crv", json!("X25519")),
        super::key("ec-1")
    ]))
    .unwrap();
    assert_eq!(set.skipped_keys()[0].fault, JwkFault::KeyType);
}

/// 2: a public key has 32 bytes
#[test]
fn section_2_a_key_has_32_bytes() {
    let set = key_set(json!([
        key_with("ed-1", "x", json!("AAAA")),
        super::key("ec-1")
    ]))
    .unwrap();
    assert_eq!(set.skipped_keys()[0].fault, JwkFault::Point);
}
