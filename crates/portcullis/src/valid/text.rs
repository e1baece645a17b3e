//! Parameters are text: their types say which of them are numbers, truth values and lists.
//!
//! A number has its JSON form, so `+5`, `0x10` and `NaN` are none; a truth value is `true` or
//! `false`. A text that is none stays a text, and is refused by the type.

use super::fault::{PlaceSegment, RequestFault};
use super::wording;
use portcullis_core::jose::json::{Json, Number, Object, Text};
use serde_json::Value;
use std::collections::HashMap;

/// How the parameters of a type are read.
#[derive(Debug, Default)]
pub(super) struct TextShapes {
    pub(super) members: HashMap<String, TextShape>,
    /// Of a tuple, by place.
    pub(super) elements: Vec<TextShape>,
    /// Of a type that is a single value.
    pub(super) whole: TextShape,
    /// Whether the type has names for its parameters.
    pub(super) is_object: bool,
}

/// How one parameter is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TextShape {
    scalar: ScalarShape,
    is_list: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ScalarShape {
    #[default]
    Text,
    Integer,
    Float,
    Bool,
}

impl TextShapes {
    pub(super) fn of(document: &Value) -> Self {
        let whole = target(document, document);
        let mut shapes = Self {
            whole: TextShape::of(document, whole),
            is_object: has_type(whole, "object"),
            ..Self::default()
        };
        if let Some(Value::Object(properties)) = whole.get("properties") {
            for (name, schema) in properties {
                shapes
                    .members
                    .insert(name.clone(), TextShape::of(document, schema));
            }
        }
        if let Some(Value::Array(elements)) = whole.get("prefixItems") {
            for schema in elements {
                shapes.elements.push(TextShape::of(document, schema));
            }
        }
        shapes
    }
}

impl TextShape {
    fn of(document: &Value, schema: &Value) -> Self {
        let schema = target(document, schema);
        if has_type(schema, "array") {
            let element = schema.get("items").unwrap_or(&Value::Null);
            return Self {
                scalar: ScalarShape::of(target(document, element)),
                is_list: true,
            };
        }
        Self {
            scalar: ScalarShape::of(schema),
            is_list: false,
        }
    }

    /// The value of one text.
    pub(super) fn value(self, text: &str) -> Json {
        let value = match self.scalar {
            ScalarShape::Text => None,
            ScalarShape::Integer => integer(text),
            ScalarShape::Float => float(text),
            ScalarShape::Bool => truth(text),
        };
        value.unwrap_or_else(|| Json::from(text))
    }
}

impl ScalarShape {
    fn of(schema: &Value) -> Self {
        if has_type(schema, "integer") {
            Self::Integer
        } else if has_type(schema, "number") {
            Self::Float
        } else if has_type(schema, "boolean") {
            Self::Bool
        } else {
            Self::Text
        }
    }
}

/// The schema that a reference, or an optional value, leads to.
fn target<'d>(document: &'d Value, mut schema: &'d Value) -> &'d Value {
    // Bounded: definitions may refer to each other in a circle.
    for _ in 0..8 {
        let next = match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => document.pointer(reference.trim_start_matches('#')),
            None => not_null(schema),
        };
        match next {
            Some(next) => schema = next,
            None => return schema,
        }
    }
    schema
}

/// The only alternative beside `null`.
fn not_null(schema: &Value) -> Option<&Value> {
    let parts = schema.get("anyOf").or_else(|| schema.get("oneOf"))?;
    let mut others = Vec::new();
    for part in parts.as_array()? {
        if !has_type(part, "null") {
            others.push(part);
        }
    }
    match others.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => kind == name,
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == name),
        _ => false,
    }
}

fn integer(text: &str) -> Option<Json> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // `parse` alone would take a plus sign.
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match text.parse() {
        Ok(number) => Some(Json::Number(Number::Integer(number))),
        Err(_) => Some(Json::Number(Number::Unsigned(text.parse().ok()?))),
    }
}

fn float(text: &str) -> Option<Json> {
    // `parse` alone would take `inf` and `NaN`.
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if !is_plain || text.starts_with('+') {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    number
        .is_finite()
        .then_some(Json::Number(Number::Float(number)))
}

fn truth(text: &str) -> Option<Json> {
    match text {
        "true" => Some(Json::Bool(true)),
        "false" => Some(Json::Bool(false)),
        _ => None,
    }
}

/// Parameters as an object, and those that came more often than their type has room for.
pub(super) fn object(
    part: &'static str,
    pairs: Vec<(String, String)>,
    shapes: &TextShapes,
) -> (Json, Vec<RequestFault>) {
    let mut names: Vec<String> = Vec::new();
    let mut values: HashMap<String, Vec<Json>> = HashMap::new();
    for (name, text) in pairs {
        let shape = shapes.members.get(&name).copied().unwrap_or_default();
        let earlier = values.entry(name.clone()).or_default();
        if earlier.is_empty() {
            names.push(name);
        }
        earlier.push(shape.value(&text));
    }
    let (mut members, mut faults) = (Vec::new(), Vec::new());
    for name in names {
        let mut all = values.remove(&name).unwrap_or_default();
        let shape = shapes.members.get(&name).copied().unwrap_or_default();
        let value = if shape.is_list {
            Json::Array(all)
        } else {
            if all.len() > 1 {
                let place = vec![PlaceSegment::name(part), PlaceSegment::name(&name)];
                faults.push(wording::several_values(place));
            }
            all.swap_remove(0)
        };
        members.push((Text::from(name), value));
    }
    // Names are unique here: each came out of a map.
    (
        Json::Object(Object::new(members).unwrap_or_default()),
        faults,
    )
}
