//! Whatever we accept, another library accepts.

use crate::shared::{key_set, runtime, server};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use portcullis_core::credential::Credential;
use portcullis_core::jose::Algorithm;
use serde_json::Value;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(token) = runtime().block_on(server().authenticate(Credential::bearer(text))) else {
        return;
    };
    // That library knows no P-521, and not the newer name of EdDSA (RFC 9864).
    let algorithm = token.header().expect("a JWT has one").algorithm;
    if algorithm == Algorithm::ES512
        || (algorithm == Algorithm::EdDSA && decode_header(text).is_err())
    {
        return;
    }
    let header = decode_header(text).expect("another library reads the header");
    let jwk = match &header.kid {
        Some(kid) => key_set()
            .find(kid)
            .expect("the key is in the set")
            .clone(),
        None => return, // we try what fits; that library has no such thing
    };
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.set_issuer(&["https://idp.example/tenant-a"]);
    validation.set_audience(&["https://api.example/orders"]);
    decode::<Value>(
        text,
        &DecodingKey::from_jwk(&jwk).expect("a key"),
        &validation,
    )
    .expect("another library accepts it");
}
