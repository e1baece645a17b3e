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
        let Some(Value::Object(definition)) = self.definitions.get(name) else {
            return;
        };
        if steps >= MOST_STEPS {
            return;
        }
        let definition = definition.clone();
        schema.remove("$ref");
        if is_composite(&definition) || definition.contains_key("$ref") {
            add_to(schema, "allOf", vec![Value::Object(definition)]);
        } else {
            merge(schema, definition);
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

/// Adds what a plain object demands to what is there.
fn merge(schema: &mut Map<String, Value>, definition: Map<String, Value>) {
    for (keyword, value) in definition {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(more)) => {
                let properties = schema
                    .entry(keyword)
                    .or_insert_with(|| Map::new().into());
                for (name, property) in more {
                    if let Value::Object(properties) = properties {
                        properties.entry(name).or_insert(property);
                    }
                }
            }
            ("required", Value::Array(more)) => add_to(schema, "required", more),
            (_, value) => {
                schema.entry(keyword).or_insert(value);
            }
        }
    }
}

fn add_to(schema: &mut Map<String, Value>, keyword: &str, more: Vec<Value>) {
    let list = schema
        .entry(keyword)
        .or_insert_with(|| Vec::<Value>::new().into());
    if let Value::Array(list) = list {
        list.extend(more);
    }
}

fn is_composite(schema: &Map<String, Value>) -> bool {
    IN_PLACE
        .iter()
        .any(|keyword| schema.contains_key(*keyword))
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

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::json_schema;
    use serde_json::json;

    fn close(schema: Value) -> Value {
        let mut schema = Schema::try_from(schema).unwrap();
        close_objects(&mut schema);
        schema.to_value()
    }

    #[test]
    fn objects_that_list_properties_are_closed_at_any_depth() {
        let object = || json!({"type": "object", "properties": {"a": {"type": "string"}}});
        let mut closed = object();
        closed["additionalProperties"] = json!(false);
        assert_eq!(close(object()), closed);
        assert_eq!(close(closed.clone()), closed);
        for wrap in [
            |it: Value| json!({"type": "array", "items": it}),
            |it: Value| json!({"type": "array", "prefixItems": [it, {}]}),
            |it: Value| json!({"type": "object", "additionalProperties": it}),
            |it: Value| json!({"anyOf": [it, {"type": "null"}]}),
            |it: Value| json!({"oneOf": [it]}),
            |it: Value| json!({"$ref": "#/$defs/A", "$defs": {"A": it}}),
        ] {
            assert_eq!(close(wrap(object())), wrap(closed.clone()));
        }
        for open in [
            json!({"type": "object"}),
            json!({"type": "string"}),
            json!({}),
            json!(true),
        ] {
            assert_eq!(close(open.clone()), open);
        }
        let word = json!({"properties": {"a": true}, "additionalProperties": {"type": "string"}});
        assert_eq!(close(word.clone()), word);
    }

    #[test]
    fn an_object_of_parts_is_closed_as_a_whole() {
        let part = |name: &str| json!({"type": "object", "properties": {name: {}}});
        let whole = json!({"properties": {"a": {}}, "oneOf": [part("b"), part("c")]});
        let mut closed = whole.clone();
        closed["unevaluatedProperties"] = json!(false);
        assert_eq!(close(whole), closed);
        let whole = json!({"allOf": [part("b"), part("c")]});
        let mut closed = whole.clone();
        closed["unevaluatedProperties"] = json!(false);
        assert_eq!(close(whole), closed);
    }

    #[test]
    fn a_definition_beside_properties_is_taken_in() {
        let definition = json!({"type": "object", "properties": {"b": {}}, "required": ["b"]});
        let schema = json!({
            "oneOf": [{"$ref": "#/$defs/B", "properties": {"kind": {"const": "b"}},
                "required": ["kind"]}],
            "$defs": {"B": definition},
        });
        let closed = close(schema);
        assert_eq!(
            closed["oneOf"][0],
            json!({"type": "object", "properties": {"b": {}, "kind": {"const": "b"}},
                "required": ["kind", "b"], "additionalProperties": false})
        );
        assert_eq!(closed["$defs"]["B"]["additionalProperties"], false);
    }

    #[test]
    fn definitions_in_a_circle_end() {
        let mut schema = json_schema!({
            "properties": {"a": {}},
            "$ref": "#/$defs/A",
            "$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}]}},
        });
        close_objects(&mut schema);
        assert_eq!(schema.get("unevaluatedProperties"), Some(&json!(false)));
    }
}
