//! What the schemas of `openapi` and of `validate` have in common.

use schemars::Schema;

/// Closes an object that lists its members: bodies are read strictly, so the document says so.
pub(crate) fn close_objects(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    // An object without a list is a map, and one that says what else it takes is left as it is.
    if object.contains_key("properties") && !object.contains_key("additionalProperties") {
        object.insert("additionalProperties".to_owned(), false.into());
    }
}
