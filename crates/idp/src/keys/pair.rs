//! Key pairs of every supported algorithm.

use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use portcullis_core::jose::Algorithm;

pub(crate) enum SigningKeyPair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

#[expect(
    clippy::expect_used,
    reason = "fails only without randomness or memory"
)]
pub(crate) fn pair(algorithm: Algorithm) -> SigningKeyPair {
    use Algorithm::{ES256, ES384, ES512, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let ec = |signing| SigningKeyPair::Ec(EcdsaKeyPair::generate(signing).expect("an EC key"));
    match algorithm {
        RS256 | RS384 | RS512 | PS256 | PS384 | PS512 => {
            // The smallest size that validators accept, and the fastest to generate.
            SigningKeyPair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))
        }
        ES256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        ES384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        ES512 => ec(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        EdDSA => SigningKeyPair::Ed(Ed25519KeyPair::generate().expect("an Ed25519 key")),
    }
}
