//! The members of a JSON object: a header, claims, a key.

use serde_json::{Map, Value};

/// The members of a JSON object: a header, claims, a key.
pub(crate) type Claims = Map<String, Value>;

/// The members of an object; those that are null are left out, as providers do.
pub(crate) fn claims(value: Value) -> Claims {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        _ => Claims::new(),
    }
}

/// The members of an object on top of others.
pub(crate) fn with(mut members: Claims, more: Value) -> Claims {
    members.extend(claims(more));
    members
}
