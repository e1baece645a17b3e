//! The schemas of a document, by `schemars`.

use crate::schema::{close_objects, generator};
use schemars::transform::{ReplaceBoolSchemas, Transform as _};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// The schemas that a document refers to: one for each type, under `#/components/schemas`.
#[derive(Debug)]
pub struct Schemas(SchemaGenerator);

/// A member of a struct: a parameter of a query or a path.
pub(super) struct Member {
    pub(super) required: bool,
    pub(super) schema: Value,
}

impl Schemas {
    pub(super) fn new() -> Self {
        Self(generator())
    }

    /// The schema of a type: for a struct or an enum a reference to the document's components.
    pub fn schema_of<T: JsonSchema>(&mut self) -> Value {
        self.0.subschema_for::<T>().to_value()
    }

    /// The members of a struct, in the order of its schema.
    pub(super) fn members_of<T: JsonSchema>(&mut self) -> Vec<(String, Member)> {
        let schema = self.inline::<T>();
        let required = schema.get("required").cloned().unwrap_or_default();
        let none = Map::new();
        let members = schema.get("properties").and_then(Value::as_object);
        let mut found = Vec::new();
        for (name, schema) in members.unwrap_or(&none) {
            let required = required
                .as_array()
                .is_some_and(|names| names.iter().any(|it| it == name));
            let schema = schema.clone();
            found.push((name.clone(), Member { required, schema }));
        }
        found
    }

    /// The type of each parameter of a path: by name, in order, or one for all.
    pub(super) fn path_types_of<T: JsonSchema>(&mut self, names: &[String]) -> Vec<Value> {
        let members = self.members_of::<T>();
        let whole = self.inline::<T>();
        let in_order = whole.get("prefixItems").and_then(Value::as_array);
        let mut types = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let of_name = members.iter().find(|(member, _)| member == name);
            let schema = match (of_name, in_order) {
                (Some((_, member)), _) => member.schema.clone(),
                (None, Some(items)) => items.get(index).cloned().unwrap_or_default(),
                (None, None) if members.is_empty() => whole.clone().to_value(),
                (None, None) => json!({ "type": "string" }),
            };
            types.push(schema);
        }
        types
    }

    /// The schema of a type itself, not a reference to it.
    fn inline<T: JsonSchema>(&mut self) -> Schema {
        let mut schema = T::json_schema(&mut self.0);
        for name in ["title", "description"] {
            schema.remove(name);
        }
        schema
    }

    /// All schemas that were referred to, by name.
    pub(super) fn into_definitions(mut self) -> Map<String, Value> {
        let definitions = Value::Object(self.0.take_definitions(true));
        let mut whole = Map::new();
        whole.insert(DEFINITIONS.to_owned(), definitions);
        let mut schema = Schema::from(whole);
        close_objects(&mut schema);
        let mut no_booleans = ReplaceBoolSchemas::default();
        no_booleans.skip_additional_properties = true;
        no_booleans.transform(&mut schema);
        match schema.remove(DEFINITIONS) {
            Some(Value::Object(definitions)) => definitions,
            _ => Map::new(),
        }
    }
}

const DEFINITIONS: &str = "$defs";

/// Makes the schemas of a finished document as OpenAPI has them: references lead to its
/// components, and no schema is only `true`, which Swagger UI does not show.
pub(super) fn adapt(document: &mut Value) {
    match document {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/components/schemas/{name}");
            }
            if object.get("schema") == Some(&Value::Bool(true)) {
                object.insert("schema".to_owned(), json!({}));
            }
            object.values_mut().for_each(adapt);
        }
        Value::Array(values) => values.iter_mut().for_each(adapt),
        _ => {}
    }
}
