//! RFC 7518: JSON Web Algorithms.

use super::{World, key, key_set, key_with};
use portcullis_core::jose::JwkFault;
use serde_json::{Value, json};

fn skipped(key: Value) -> JwkFault {
    key_set(json!([key, super::key("ec-384")])).unwrap().skipped()[0].fault
}

/// 3.3, 3.5: RSA keys have 2048 bits or more
#[test]
fn section_3_3_rsa_has_2048_bits() {
    let short = key("rsa-1")["n"].as_str().unwrap()[..168].to_owned();
    assert_eq!(skipped(key_with("rsa-1", "n", json!(short))), JwkFault::RsaSize);
}

/// 3.4: an ECDSA signature is R and S at full length, and not DER
#[tokio::test]
async fn section_3_4_signatures_have_a_fixed_length() {
    let world = World::with("ES256", "rfc9068").await;
    let token = world.token().sign();
    assert_eq!(world.judge(&token).await, "fine");
    assert_eq!(world.judge(&token[..token.len() - 6]).await, "token.signature");
    let (input, _) = token.rsplit_once('.').unwrap();
    let der = portcullis_core::jose::base64url::encode(&[&[0x30, 0x44, 0x02, 0x20][..], &[1; 68]].concat());
    assert_eq!(world.judge(&format!("{input}.{der}")).await, "token.signature");
}

/// 3.6: `none` is refused
#[tokio::test]
async fn section_3_6_none() {
    let world = World::new().await;
    assert_eq!(world.judge(&world.token().alg_none().sign()).await, "token.algorithm");
}

/// 6.2.1: coordinates have their full length and lie on the curve
#[test]
fn section_6_2_1_points() {
    let y = key("ec-1")["y"].as_str().unwrap().to_owned();
    assert_eq!(skipped(key_with("ec-1", "y", json!(y[..40]))), JwkFault::Point);
    assert_eq!(skipped(key_with("ec-1", "y", key("ec-1")["x"].clone())), JwkFault::Point);
    assert_eq!(skipped(key_with("ec-1", "crv", json!("P-384"))), JwkFault::Point);
}
