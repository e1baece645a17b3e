//! Other people's vectors. They are not part of the project: they are read from `../shared/vectors`
//! beside the checkout, or from `PORTCULLIS_VECTORS`; where they are not, that is said, and they
//! are skipped.

mod json_parsing;
mod specifications;
mod wycheproof;

use portcullis_core::Limits;
use portcullis_core::jose::{Jwks, Selection, compact, signature};
use serde_json::Value;
use std::path::PathBuf;

/// Reads a file of vectors; says so if it is not there.
pub(crate) fn vectors(name: &str) -> Option<Value> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("PORTCULLIS_VECTORS").map_or_else(beside, PathBuf::from);
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(_) => {
            crate::tally::excused(&format!(
                "{name} is not there; set PORTCULLIS_VECTORS to the folder that holds it"
            ));
            None
        }
    }
}

/// Whether a JWS verifies with one of the keys, by the production parser and check.
fn verifies(jws: &str, key_set: &Value) -> bool {
    let Ok(keys) = Jwks::parse(key_set.to_string().as_bytes(), &Limits::default()) else {
        return false;
    };
    let Ok(jws) = compact::parse_jws(jws, &Limits::default()) else {
        return false;
    };
    match keys.select(jws.header().kid.as_deref(), jws.header().algorithm) {
        Selection::Keys(keys) => signature::check_jws(&jws, &keys).is_ok(),
        Selection::WrongAlgorithm | Selection::Unknown => false,
    }
}

/// A key without its private members; none of a symmetric key is left.
fn public(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        jwk.as_object_mut().unwrap().remove(member);
    }
    jwk
}
