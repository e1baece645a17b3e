//! The members of a JSON object: a header, claims, a key.

use serde_json::{Map, Value};

/// The members of a JSON object: a header, claims, a key.
pub(crate) type JsonObject = Map<String, Value>;

/// The members of an object; those that are null are left out, as providers do.
pub(crate) fn claims(value: Value) -> JsonObject {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        _ => JsonObject::new(),
    }
}

/// The members of an object on top of others.
pub(crate) fn with(mut members: JsonObject, more: Value) -> JsonObject {
    members.extend(claims(more));
    members
}
