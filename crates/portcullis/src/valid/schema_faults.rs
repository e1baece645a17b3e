//! The faults that the schema of a type finds in a value, all at once.

use super::branch::{self, Variants};
use super::fault::{PlaceSegment, RequestFault};
use super::source::Source;
use super::wording::{self, NumberBound, Place};
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

/// Where faults are put: at most so many.
pub(super) struct FaultList<'s> {
    pub(super) source: &'s Source,
    pub(super) document: &'s Value,
    pub(super) faults: Vec<RequestFault>,
    pub(super) most: usize,
}

impl FaultList<'_> {
    pub(super) fn is_full(&self) -> bool {
        self.faults.len() >= self.most
    }

    fn push(&mut self, fault: RequestFault) {
        if !self.is_full() {
            self.faults.push(fault);
        }
    }

    /// Adds the faults of errors about one value and what is in it.
    pub(super) fn add_all<'e>(&mut self, errors: &[&ValidationError<'e>]) {
        for error in errors {
            if !branch::is_follow_up(error, errors) {
                self.add(error);
            }
        }
    }

    fn add(&mut self, error: &ValidationError<'_>) {
        let place = self.place(error.instance_path());
        match error.kind() {
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.add_variants(place, &Variants::new(error, context));
            }
            // Sets take a value twice and serde takes the first variant that fits: both are read.
            Kind::UniqueItems | Kind::OneOfMultipleValid { .. } => {}
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    self.push(wording::extra(inside(&place, name)));
                }
            }
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                self.push(wording::missing(inside(&place, name)));
            }
            Kind::Type { kind } => {
                let kind = self.type_fault(error, kind);
                self.push(wording::of_type(place, kind));
            }
            kind => self.push(of_rule(place, kind)),
        }
    }

    /// The faults of the variant that is meant.
    fn add_variants(&mut self, place: Place, variants: &Variants<'_>) {
        if let Some(values) = variants.constants() {
            self.push(wording::choice(place, "enum", &values));
        } else if let Some((name, tags)) = variants.tags() {
            self.push(wording::tag(place, name, &tags));
        } else if let Some(errors) = variants.nearest() {
            let errors: Vec<_> = errors.iter().collect();
            self.add_all(&errors);
        } else {
            self.push(wording::of_type(place, "value_error"));
        }
    }

    fn type_fault(&self, error: &ValidationError<'_>, kind: &TypeKind) -> &'static str {
        let expects = |of: JsonType| match kind {
            TypeKind::Single(kind) => *kind == of,
            TypeKind::Multiple(kinds) => kinds.contains(of),
        };
        let found: &Value = error.instance();
        let from_text = self.source.is_text() && found.is_string();
        if expects(JsonType::Object) {
            return self.object_type(error);
        } else if expects(JsonType::Array) {
            return "list_type";
        } else if expects(JsonType::Integer) {
            return match found {
                Value::String(_) if from_text => "int_parsing",
                Value::Number(_) => "int_from_float",
                _ => "int_type",
            };
        } else if expects(JsonType::Number) {
            return if from_text {
                "float_parsing"
            } else {
                "float_type"
            };
        } else if expects(JsonType::Boolean) {
            return if from_text {
                "bool_parsing"
            } else {
                "bool_type"
            };
        } else if expects(JsonType::String) {
            return "string_type";
        }
        "none_required"
    }

    /// An object with properties of its own, or a map.
    fn object_type(&self, error: &ValidationError<'_>) -> &'static str {
        let path = error.schema_path().as_str();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        match self.document.pointer(parent) {
            Some(schema) if schema.get("properties").is_none() => "dict_type",
            _ => "model_attributes_type",
        }
    }

    pub(super) fn place(&self, location: &Location) -> Place {
        let mut place = self.source.root();
        for segment in location.segments() {
            place.push(match segment {
                LocationSegment::Property(name) => PlaceSegment::name(&name),
                LocationSegment::Index(index) => self.source.element(index),
            });
        }
        place
    }
}

fn inside(place: &[PlaceSegment], name: &str) -> Place {
    let mut place = place.to_vec();
    place.push(PlaceSegment::name(name));
    place
}

/// Bounds, patterns and values.
fn of_rule(place: Place, kind: &Kind) -> RequestFault {
    let (bound, limit) = match kind {
        Kind::MinLength { limit } => return wording::too_short(place, true, *limit),
        Kind::MaxLength { limit } => return wording::too_long(place, true, *limit),
        Kind::MinItems { limit } | Kind::MinProperties { limit } => {
            return wording::too_short(place, false, *limit);
        }
        Kind::MaxItems { limit } | Kind::MaxProperties { limit } => {
            return wording::too_long(place, false, *limit);
        }
        Kind::Pattern { pattern } => return wording::pattern(place, pattern),
        Kind::Format { format } => return wording::of_format(place, format),
        Kind::Constant { expected_value } => {
            return wording::choice(place, "literal_error", &[expected_value]);
        }
        Kind::Enum { options } => return wording::choice(place, "enum", &alternatives(options)),
        Kind::Minimum { limit } => (NumberBound::AtLeast, limit.clone()),
        Kind::ExclusiveMinimum { limit } => (NumberBound::Above, limit.clone()),
        Kind::Maximum { limit } => (NumberBound::AtMost, limit.clone()),
        Kind::ExclusiveMaximum { limit } => (NumberBound::Below, limit.clone()),
        Kind::MultipleOf { multiple_of } => (NumberBound::MultipleOf, (*multiple_of).into()),
        _ => return wording::of_type(place, "value_error"),
    };
    wording::out_of_range(place, bound, limit)
}

/// The values of an enumeration; `null` only says that there may be none.
fn alternatives(options: &Value) -> Vec<&Value> {
    let options = options.as_array().into_iter().flatten();
    options.filter(|option| !option.is_null()).collect()
}
