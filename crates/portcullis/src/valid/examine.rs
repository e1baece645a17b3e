//! Whether a value is one of its type: fast if it is, and with all its faults if not.

use super::answer::{InvalidRequest, Reason};
use super::fault::RequestFault;
use super::input::ValidInput;
use super::read::{Expectation, ReadFault, ReadFaultKind, Reading, UnknownMembers, read};
use super::rule_faults;
use super::schema_faults::FaultList;
use super::source::Source;
use super::type_schema::TypeSchema;
use super::wording::{self, EXTRA};
use http::HeaderMap;
use portcullis_core::jose::json::Json;

/// At most so many faults are told.
const MOST_FAULTS: usize = 100;

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
        let mut faults = self.faults.clone();
        // Reading shows all that is wrong with the form, unless it stopped, or hid in a buffer.
        if is_buffered || read_fault.is_some() {
            let of_schema = self.schema_faults(&TypeSchema::of::<T>());
            faults.extend(self.faults_of_form(of_schema, read_fault.as_ref(), value.is_some())?);
        }
        if let Some(report) = report {
            faults.extend(rule_faults::faults(&report, &self.json, &self.source));
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
        of_schema: Option<Vec<RequestFault>>,
        read_fault: Option<&ReadFault>,
        is_read: bool,
    ) -> Result<Vec<RequestFault>, InvalidRequest> {
        let mut faults = Vec::new();
        for fault in of_schema.iter().flatten() {
            if !is_read || fault.kind() == EXTRA {
                faults.push(fault.clone());
            }
        }
        match read_fault {
            Some(fault) => self.add_read_fault(fault, &mut faults),
            // Only the schema sees the unknown members of a type that reads into a buffer.
            None if of_schema.is_none() => {
                return Err(InvalidRequest::new(Reason::Schema, self.headers));
            }
            None => {}
        }
        Ok(faults)
    }

    fn schema_faults(&self, schema: &TypeSchema) -> Option<Vec<RequestFault>> {
        let validator = schema.validator()?;
        let value = serde_json::to_value(&self.json).ok()?;
        let mut list = FaultList {
            source: &self.source,
            document: &schema.document,
            faults: Vec::new(),
            most: MOST_FAULTS,
        };
        let errors: Vec<_> = validator.iter_errors(&value).take(MOST_FAULTS).collect();
        list.add_all(&errors.iter().collect::<Vec<_>>());
        Some(list.faults)
    }

    /// Adds the fault of serde where the schema has none: a date that is none, a number with `.0`.
    fn add_read_fault(&self, fault: &ReadFault, faults: &mut Vec<RequestFault>) {
        let mut place = self.source.root();
        place.extend(fault.place().cloned());
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
