//! Reading the members of a key. One that is `null` is absent, as several providers write it.

use super::base64url;
use super::json::{Json, Object, Text};
use super::jwk_fault::JwkFault;

/// A member of a key.
pub(super) fn member<'j>(jwk: &'j Object, name: &str) -> Option<&'j Json> {
    match jwk.get(name) {
        Some(Json::Null) => None,
        value => value,
    }
}

/// A member that is a string, if it is there.
pub(super) fn text(jwk: &Object, name: &'static str) -> Result<Option<Text>, JwkFault> {
    match member(jwk, name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JwkFault::MemberType(name)),
    }
}

/// A required member in base64url.
pub(super) fn bytes(jwk: &Object, name: &'static str) -> Result<Vec<u8>, JwkFault> {
    let text = member(jwk, name)
        .and_then(Json::as_str)
        .unwrap_or_default();
    match base64url::decode(text) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(JwkFault::MissingMember(name)),
    }
}
