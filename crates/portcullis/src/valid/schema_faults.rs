//! The faults that the schema of a type finds in a value, all at once.

use super::branch::{self, Variants};
use super::fault::{PlaceSegment, RequestFault};
use super::source::Source;
use super::wording::{self, NumberBound, Place};
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;
use std::collections::HashSet;

/// What a schema finds in a value.
#[derive(Debug, Default)]
pub(super) struct SchemaFindings {
    pub(super) faults: Vec<RequestFault>,
    /// Members that may only seem unknown, because the part of the schema with them failed.
    pub(super) doubtful: Vec<RequestFault>,
    /// Whether anything but rules is broken.
    pub(super) is_misshapen: bool,
}

/// A value, where it is from, and the schema that it breaks.
#[derive(Clone, Copy)]
pub(super) struct Whole<'w> {
    pub(super) source: &'w Source,
    pub(super) schema: &'w Value,
    pub(super) value: &'w Value,
}

impl SchemaFindings {
    /// The faults behind the errors of the validator: at most so many.
    pub(super) fn new(errors: &[ValidationError<'_>], whole: Whole<'_>, most: usize) -> Self {
        let mut collector = FaultCollector {
            whole,
            most,
            found: Self::default(),
        };
        collector.add_all(errors);
        collector.found.is_misshapen = errors.iter().any(branch::is_of_form);
        collector.found
    }
}

struct FaultCollector<'w> {
    whole: Whole<'w>,
    most: usize,
    found: SchemaFindings,
}

impl<'w> FaultCollector<'w> {
    fn push(&mut self, fault: RequestFault) {
        // Two keywords of a schema may find the same fault.
        if self.found.faults.len() < self.most && !self.found.faults.contains(&fault) {
            self.found.faults.push(fault);
        }
    }

    /// Adds the faults of errors about one value and what is in it.
    fn add_all(&mut self, errors: &[ValidationError<'_>]) {
        for error in errors {
            match error.kind() {
                Kind::UnevaluatedProperties { unexpected } => {
                    self.add_unevaluated(error, unexpected, errors);
                }
                _ => self.add(error),
            }
        }
    }

    /// Members that no part of a schema took: unknown, or of a part that failed for other reasons.
    fn add_unevaluated(
        &mut self,
        error: &ValidationError<'_>,
        names: &[String],
        all: &[ValidationError<'_>],
    ) {
        let root = error.instance_path().as_str();
        let mut beside = all.iter().filter(|other| !std::ptr::eq(*other, error));
        let is_alone = !beside.any(|other| other.instance_path().as_str().starts_with(root));
        let mut listed = HashSet::new();
        add_listed(self.whole.schema, self.schema_of(error), &mut listed, 0);
        let place = self.place(error.instance_path());
        for name in names {
            let fault = wording::extra(inside(&place, name));
            if is_alone || !listed.contains(name.as_str()) {
                self.push(fault);
            } else if self.found.doubtful.len() < self.most {
                self.found.doubtful.push(fault);
            }
        }
    }

    /// The schema that the error comes from.
    fn schema_of(&self, error: &ValidationError<'_>) -> &'w Value {
        let path = error.schema_path().as_str();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.whole
            .schema
            .pointer(parent)
            .unwrap_or(&Value::Null)
    }

    fn add(&mut self, error: &ValidationError<'_>) {
        let place = self.place(error.instance_path());
        match error.kind() {
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                let path = error.schema_path().as_str();
                let schemas = self.whole.schema.pointer(path).unwrap_or(&Value::Null);
                let variants = Variants::new(error, context, schemas);
                self.add_variants(place, &variants, error.instance());
            }
            // Sets take a value twice and serde takes the first variant that fits: both are read.
            Kind::UniqueItems | Kind::OneOfMultipleValid { .. } => {}
            Kind::AdditionalProperties { unexpected } => {
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
            // Our own keyword.
            Kind::Custom { .. } => self.push(wording::of_type(place, "int_type")),
            kind => self.push(of_rule(place, kind)),
        }
    }

    /// The faults of the variant that is meant.
    fn add_variants(&mut self, place: Place, variants: &Variants<'_>, value: &Value) {
        if let Some(tag) = variants.missing_tag(value) {
            self.push(wording::no_tag(place, tag));
        } else if let Some(values) = variants.constants() {
            self.push(wording::choice(place, "enum", &values));
        } else if let Some((name, tags)) = variants.tags() {
            self.push(wording::tag(place, name, &tags));
        } else if let Some(errors) = variants.nearest() {
            self.add_all(errors);
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
        let from_text = self.whole.source.is_text() && found.is_string();
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
            return self.text_type(error);
        }
        "none_required"
    }

    /// A text, by the value that it stands for.
    fn text_type(&self, error: &ValidationError<'_>) -> &'static str {
        match self
            .schema_of(error)
            .get("format")
            .and_then(Value::as_str)
        {
            Some("uuid") => "uuid_type",
            Some("date-time") => "datetime_type",
            Some("date") => "date_type",
            Some("time") => "time_type",
            _ => "string_type",
        }
    }

    /// An object with properties of its own, or a map.
    fn object_type(&self, error: &ValidationError<'_>) -> &'static str {
        match self.schema_of(error).get("properties") {
            Some(_) => "model_attributes_type",
            None => "dict_type",
        }
    }

    fn place(&self, location: &Location) -> Place {
        let mut place = self.whole.source.root();
        let mut value = self.whole.value;
        for segment in location.segments() {
            // The location takes the name `7` for an index: only the value knows.
            let text = segment.to_string();
            let (step, next) = match (value, segment) {
                (Value::Array(elements), LocationSegment::Index(index)) => {
                    (self.whole.source.element(index), elements.get(index))
                }
                (value, _) => (PlaceSegment::name(&text), value.get(&text)),
            };
            place.push(step);
            value = next.unwrap_or(&Value::Null);
        }
        place
    }
}

/// Adds the names of all properties that a schema and its parts list.
fn add_listed<'d>(
    document: &'d Value,
    schema: &'d Value,
    names: &mut HashSet<&'d str>,
    steps: usize,
) {
    // Bounded: references may lead in a circle.
    if steps > 8 {
        return;
    }
    for name in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        names.insert(name.0);
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for part in schema
            .get(keyword)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            add_listed(document, part, names, steps + 1);
        }
    }
    let reference = schema
        .get("$ref")
        .and_then(Value::as_str)
        .unwrap_or("#/none");
    if let Some(part) = document.pointer(reference.trim_start_matches('#')) {
        add_listed(document, part, names, steps + 1);
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
