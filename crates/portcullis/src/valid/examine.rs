//! Whether a value is one of its type: fast if it is, and with all its faults if not.

use super::answer::{InvalidRequest, Reason};
use super::fault::{PlaceSegment, RequestFault};
use super::input::ValidInput;
use super::read::{Expectation, ReadFault, ReadFaultKind, Reading, UnknownMembers, read};
use super::rule_faults::{self, RuleFault};
use super::schema_faults::{SchemaFindings, Whole};
use super::source::Source;
use super::type_schema::TypeSchema;
use super::wording::{self, EXTRA};
use http::HeaderMap;
use portcullis_core::jose::json::Json;

/// At most so many faults are told.
const MOST_FAULTS: usize = 100;
/// At most so many errors are taken from the validator.
const MOST_ERRORS: usize = 1_000;

/// A value that was read from a request, before it has its type.
pub(super) struct Candidate<'r> {
    pub(super) json: Json,
    pub(super) source: Source,
    /// What was wrong before the type was asked.
    pub(super) faults: Vec<RequestFault>,
    pub(super) headers: &'r HeaderMap,
}

impl Candidate<'_> {
    /// The value as its type.
    ///
    /// # Errors
    ///
    /// All faults.
    pub(super) fn examine<T: ValidInput>(self) -> Result<T, InvalidRequest> {
        let Reading { value, is_buffered } = read::<T>(&self.json, UnknownMembers::Refuse);
        let is_plain = !is_buffered && self.faults.is_empty();
        let (value, read_fault) = match value {
            Ok(value) if is_plain && value.validate().is_ok() => return Ok(value),
            Ok(value) => (Some(value), None),
            // Without its unknown members it may have its type, and then its rules can be checked.
            Err(fault) => (
                read(&self.json, UnknownMembers::Ignore).value.ok(),
                Some(fault),
            ),
        };
        let report = value.as_ref().map(rule_faults::report);
        // Reading shows all that is wrong with the form, unless it stopped, or hid in a buffer.
        let needs_schema = is_buffered || read_fault.is_some();
        let mut faults = self.faults.clone();
        if needs_schema {
            let schema = TypeSchema::of::<T>();
            faults.extend(self.faults_of_form(&schema, read_fault.as_ref(), value.is_some())?);
        }
        if let Some(report) = report {
            let mut of_rules = rule_faults::faults(&report, &self.json, &self.source, MOST_FAULTS);
            if of_rules.iter().any(|fault| !fault.is_found) {
                self.name_as_in_schema(&TypeSchema::of::<T>(), &mut of_rules);
            }
            faults.extend(of_rules.into_iter().map(|of_rule| of_rule.fault));
        }
        faults.truncate(MOST_FAULTS);
        match (value, read_fault) {
            (Some(value), None) if faults.is_empty() => Ok(value),
            _ => Err(InvalidRequest::new(Reason::Invalid, self.headers).with(faults)),
        }
    }

    /// What schema and serde found. The rules in the schema count only where garde cannot judge,
    /// because no value was read: else each rule would be told twice.
    fn faults_of_form(
        &self,
        schema: &TypeSchema,
        read_fault: Option<&ReadFault>,
        is_read: bool,
    ) -> Result<Vec<RequestFault>, InvalidRequest> {
        let mut faults = Vec::new();
        let found = self.schema_faults(schema);
        for fault in found.iter().flat_map(|found| &found.faults) {
            if !is_read || fault.kind() == EXTRA {
                faults.push(fault.clone());
            }
        }
        match (read_fault, found) {
            (Some(fault), _) => self.add_read_fault(fault, &mut faults),
            // Only the schema sees the unknown members of a type that reads into a buffer: without
            // it nobody would, and what it refuses for its form is refused.
            (None, None) => return Err(InvalidRequest::new(Reason::Schema, self.headers)),
            (None, Some(found)) if found.is_misshapen && faults.is_empty() => {
                faults.extend(found.doubtful);
                if faults.is_empty() {
                    faults.extend(found.faults);
                }
                if faults.is_empty() {
                    faults.push(wording::of_type(self.source.root(), "value_error"));
                }
            }
            (None, Some(_)) => {}
        }
        Ok(faults)
    }

    fn schema_faults(&self, schema: &TypeSchema) -> Option<SchemaFindings> {
        let validator = schema.validator()?;
        let value = serde_json::to_value(&self.json).ok()?;
        let errors: Vec<_> = validator
            .iter_errors(&value)
            .take(MOST_ERRORS)
            .collect();
        let whole = Whole {
            source: &self.source,
            schema: &schema.document,
            value: &value,
        };
        let mut found = SchemaFindings::new(&errors, whole, MOST_FAULTS);
        // Nobody knows what the others would have been.
        found.is_misshapen |= errors.len() == MOST_ERRORS;
        Some(found)
    }

    /// Gives faults the names of their fields in JSON: garde knows only those in the code. The
    /// schema has the same rules at the right names.
    fn name_as_in_schema(&self, schema: &TypeSchema, of_rules: &mut [RuleFault]) {
        let found = self.schema_faults(schema);
        for twin in found.iter().flat_map(|found| &found.faults) {
            let is_there = |it: &RuleFault| it.is_found && it.fault.place() == twin.place();
            if of_rules.iter().any(is_there) {
                continue;
            }
            let mut lost = of_rules.iter_mut().filter(|it| !it.is_found);
            if let Some(rule) = lost.find(|it| it.fault.is_sibling(twin)) {
                rule.fault = twin.clone();
                rule.is_found = true;
            }
        }
    }

    /// Adds the fault of serde where the schema has none: a date that is none, a number with `.0`.
    fn add_read_fault(&self, fault: &ReadFault, faults: &mut Vec<RequestFault>) {
        let mut place = self.source.root();
        for (depth, segment) in fault.place().enumerate() {
            place.push(match segment {
                PlaceSegment::Index(index) if depth == 0 => self.source.element(*index),
                segment => segment.clone(),
            });
        }
        for other in faults.iter() {
            let other = other.place();
            if other.starts_with(&place) || place.starts_with(other) {
                return;
            }
        }
        faults.push(match fault.kind {
            ReadFaultKind::Missing => wording::missing(place),
            ReadFaultKind::Extra => wording::extra(place),
            ReadFaultKind::Type(expectation) => wording::of_type(place, type_of(expectation)),
            ReadFaultKind::Other => wording::of_type(place, "value_error"),
        });
    }
}

fn type_of(expectation: Expectation) -> &'static str {
    match expectation {
        Expectation::Integer => "int_type",
        Expectation::Float => "float_type",
        Expectation::Text => "string_type",
        Expectation::Bool => "bool_type",
        Expectation::Sequence => "list_type",
        Expectation::Object => "model_attributes_type",
        Expectation::Other => "value_error",
    }
}
