//! A keyword of our own: an integer is written as one.
//!
//! For JSON Schema `1.0` is an integer, for serde it is none. Without the keyword such a number
//! would be told only if serde stops at it, and not beside other faults.

use jsonschema::{Keyword, ValidationError};
use serde_json::Value;

/// Its name in the document of the validator; no published schema has it.
pub(super) const INTEGER_LITERAL: &str = "x-integer-literal";

const FIRST_BEYOND_U64: f64 = 18_446_744_073_709_551_616.0;

/// Refuses numbers such as `1.0`; those with a fraction are refused by their type.
pub(super) struct IntegerLiteral;

impl<'i> Keyword<'i> for IntegerLiteral {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(value) {
            Ok(())
        } else {
            Err(ValidationError::custom("an integer with a decimal point"))
        }
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        let number = value.as_f64().filter(|_| value.is_f64()).unwrap_or(0.5);
        // Larger ones may be written as integers: our parser makes them floats, and the bounds of
        // the type refuse them.
        number.fract() != 0.0 || number.abs() >= FIRST_BEYOND_U64
    }
}

/// Adds the keyword to every schema of integers.
pub(super) fn add_to(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_integer = match members.get("type") {
                Some(Value::String(kind)) => kind == "integer",
                Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "integer"),
                _ => false,
            };
            for member in members.values_mut() {
                add_to(member);
            }
            if is_integer {
                members.insert(INTEGER_LITERAL.to_owned(), Value::Bool(true));
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(add_to),
        _ => {}
    }
}
