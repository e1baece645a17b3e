//! The schema of a type, as callers see it: JSON Schema 2020-12 of what is read, with closed
//! objects.

#[cfg(feature = "validate")]
use schemars::JsonSchema;
use schemars::Schema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value};

/// How often one schema may lead to another in the same place: a circle of references ends here.
const MOST_STEPS: usize = 16;

/// The keywords whose schemas hold for the same value as the schema around them.
const IN_PLACE: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// The generator of all our schemas: what a caller may send, not what the server answers.
pub(crate) fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator()
}

/// The schema of a type, with its definitions, and closed.
#[cfg(feature = "validate")]
pub(crate) fn schema_of<T: JsonSchema>() -> Schema {
    let mut schema = generator().into_root_schema_for::<T>();
    close_objects(&mut schema);
    schema
}

/// Closes every object that lists its properties: others are not allowed.
///
/// It wants the whole document, with its definitions. A schema that is made of several (variants,
/// flattened members) is closed as a whole, or each part would refuse the properties of the others.
pub(crate) fn close_objects(schema: &mut Schema) {
    let definitions = schema.get("$defs").cloned().unwrap_or_default();
    let closer = Closer { definitions };
    if let Some(schema) = schema.as_object_mut() {
        closer.close(schema, false, 0);
    }
}

struct Closer {
    /// As they were before: a copy of one is closed with the schema that it goes into.
    definitions: Value,
}

impl Closer {
    /// Closes a schema and all below. A part of another schema stays open.
    fn close(&self, schema: &mut Map<String, Value>, is_part: bool, steps: usize) {
        let lists = schema.contains_key("properties");
        if is_part || lists {
            self.inline(schema, steps);
        }
        let has_parts = schema.contains_key("allOf") || lists && is_composite(schema);
        for (keyword, value) in schema.iter_mut() {
            if IN_PLACE.contains(&keyword.as_str()) {
                self.close_each(value, is_part || has_parts, steps + 1);
            } else {
                self.close_below(keyword, value);
            }
        }
        if !is_part && (lists || has_parts) {
            shut(schema, has_parts);
        }
    }

    /// Puts a copy of the definition in the place of a reference: the definition itself is closed,
    /// and knows nothing of the properties beside the reference.
    fn inline(&self, schema: &mut Map<String, Value>, steps: usize) {
        let Some(Value::String(reference)) = schema.get("$ref") else {
            return;
        };
        let name = reference.strip_prefix("#/$defs/").unwrap_or_default();
        if steps < MOST_STEPS
            && let Some(definition) = self.definitions.get(name)
        {
            let parts = schema
                .entry("allOf")
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(parts) = parts {
                parts.push(definition.clone());
                schema.remove("$ref");
            }
        }
    }

    fn close_each(&self, parts: &mut Value, is_part: bool, steps: usize) {
        for part in parts.as_array_mut().into_iter().flatten() {
            if let Value::Object(part) = part {
                self.close(part, is_part, steps);
            }
        }
    }

    /// Closes the schemas of members and elements.
    fn close_below(&self, keyword: &str, value: &mut Value) {
        match (keyword, value) {
            ("properties" | "patternProperties" | "$defs", Value::Object(schemas)) => {
                for schema in schemas.values_mut() {
                    if let Value::Object(schema) = schema {
                        self.close(schema, false, 0);
                    }
                }
            }
            ("items" | "additionalProperties" | "contains", Value::Object(schema)) => {
                self.close(schema, false, 0);
            }
            ("prefixItems", schemas) => self.close_each(schemas, false, 0),
            _ => {}
        }
    }
}

fn is_composite(schema: &Map<String, Value>) -> bool {
    IN_PLACE.iter().any(|keyword| schema.contains_key(*keyword))
}

fn shut(schema: &mut Map<String, Value>, has_parts: bool) {
    // A schema that says itself what else there may be keeps its word: a flattened map does.
    if schema.contains_key("additionalProperties") || schema.contains_key("unevaluatedProperties") {
        return;
    }
    // `additionalProperties` sees only the properties beside it, and none of the parts.
    let keyword = if has_parts {
        "unevaluatedProperties"
    } else {
        "additionalProperties"
    };
    schema.insert(keyword.to_owned(), Value::Bool(false));
}
