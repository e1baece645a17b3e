//! RFC 7518: JSON Web Algorithms.

use super::{RfcSetup, key, key_set, key_with};
use portcullis_core::jose::{JwkFault, base64url};
use serde_json::{Value, json};

fn skipped(key: Value) -> JwkFault {
    key_set(json!([key, super::key("ec-384")]))
        .unwrap()
        .skipped_keys()[0]
        .fault
}

/// 3.3, 3.5: RSA keys have 2048 bits or more
#[test]
fn section_3_3_rsa_has_2048_bits() {
    let short = key("rsa-1")["n"].as_str().unwrap()[..168].to_owned();
    assert_eq!(
        skipped(key_with("rsa-1", "n", json!(short))),
        JwkFault::RsaSize
    );
}

/// 3.4: an ECDSA signature is R and S at full length, and not DER
#[tokio::test]
async fn section_3_4_signatures_have_a_fixed_length() {
    let world = RfcSetup::with("ES256", "rfc9068").await;
    let token = world.token().sign();
    assert_eq!(world.decide(&token).await, "allow");
    assert_eq!(
        world.decide(&token[..token.len() - 6]).await,
        "token.signature"
    );
    // The very signature that is accepted, written as DER: the same two numbers, of variable
    // length.
    let (input, signature) = token.rsplit_once('.').unwrap();
    let fixed = base64url::decode(signature).unwrap();
    let der = base64url::encode(&der(&fixed));
    assert_eq!(
        world.decide(&format!("{input}.{der}")).await,
        "token.signature"
    );
}

/// The same signature as a sequence of two integers (SEC 1, C.5).
fn der(fixed: &[u8]) -> Vec<u8> {
    let integer = |half: &[u8]| {
        let zeros = half.iter().take_while(|byte| **byte == 0).count();
        let sign = half.get(zeros).is_none_or(|byte| *byte >= 0x80);
        let number = [&[0][usize::from(!sign)..], &half[zeros..]].concat();
        [&[0x02, u8::try_from(number.len()).unwrap()][..], &number].concat()
    };
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()][..], &both].concat()
}

/// 3.6: `none` is refused
#[tokio::test]
async fn section_3_6_none() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world.decide(&world.token().alg_none().sign()).await,
        "token.algorithm"
    );
}

/// 6.2.1: points lie on their curve
#[test]
fn section_6_2_1_points() {
    let y = key("ec-1")["y"].as_str().unwrap().to_owned();
    assert_eq!(
        skipped(key_with("ec-1", "y", json!(y[..40]))),
        JwkFault::Point
    );
    assert_eq!(
        skipped(key_with("ec-1", "y", key("ec-1")["x"].clone())),
        JwkFault::Point
    );
    // Its `alg` tells it apart before the point does.
    assert_eq!(
        skipped(key_with("ec-1", "crv", json!("P-384"))),
        JwkFault::Algorithm
    );
}
