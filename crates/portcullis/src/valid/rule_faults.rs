//! The rules of a type, as garde reports them: its own by kind and bound, the application's by
//! their words.

use super::fault::{PlaceSegment, RequestFault};
use super::own_words::OwnWords;
use super::rule_words::{RuleWords, fault_of};
use super::source::Source;
use super::wording::{self, Place};
use garde::error::Kind;
use garde::{Report, Validate, i18n};
use portcullis_core::jose::json::{Json, Object};

/// The report of a value that was read; empty if it breaks no rule.
pub(super) fn report<T: Validate<Context = ()>>(value: &T) -> Report {
    let outcome = i18n::with_i18n(RuleWords, || value.validate());
    outcome.err().unwrap_or_else(Report::new)
}

/// A fault of a rule.
pub(super) struct RuleFault {
    pub(super) fault: RequestFault,
    /// Whether its place was found in the JSON; else its last step is the name in the code.
    pub(super) is_found: bool,
}

/// The faults of a report, with the places and names of the JSON that the value was read from.
pub(super) fn faults(report: &Report, json: &Json, source: &Source, most: usize) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    let mut own_words = OwnWords::new(json);
    for (path, error) in report.iter().take(most) {
        let (place, value) = locate(path, json, source);
        let is_text = value.is_some_and(|value| value.as_str().is_some());
        let fault = match fault_of(&place, is_text, error.message()) {
            Some(fault) => fault,
            None => wording::own_rule(place, own_words.without_echo(error.message())),
        };
        faults.push(RuleFault {
            fault,
            is_found: value.is_some(),
        });
    }
    faults
}

/// The place of a value, and the value if it is found there.
///
/// garde names fields as the code does: `unit_price` may be `unitPrice` in JSON, and the fields of
/// a flattened struct or of a variant stand elsewhere.
fn locate<'j>(path: &garde::Path, json: &'j Json, source: &Source) -> (Place, Option<&'j Json>) {
    let mut place = source.root();
    let mut current = Some(json);
    // Hidden, but what garde's own macro `select!` calls: the text of a path is ambiguous.
    let steps: Vec<_> = path.__iter().rev().collect();
    for (number, (kind, name)) in steps.iter().enumerate() {
        let is_last = number + 1 == steps.len();
        match (kind, current) {
            (Kind::Key, Some(Json::Object(object))) => match member(object, name) {
                Some((segments, value)) => {
                    place.extend(segments);
                    current = Some(value);
                }
                // The name of a field without a member: a flattened one, or an absent one.
                None if is_last => {
                    place.push(PlaceSegment::name(name));
                    current = None;
                }
                None => {}
            },
            (Kind::Index, Some(Json::Array(elements))) => {
                let index: usize = name.parse().unwrap_or(usize::MAX);
                // The only field of a tuple struct is its value, so its index is no step.
                if let Some(element) = elements.get(index) {
                    place.push(source.element(index));
                    current = Some(element);
                }
            }
            (Kind::Key, None) => place.push(PlaceSegment::name(name)),
            _ => {}
        }
    }
    (place, current)
}

/// The member of a field: by its name, by its name in another case, or inside the only member that
/// has it, which then holds the content of a variant.
fn member<'j>(object: &'j Object, field: &str) -> Option<(Vec<PlaceSegment>, &'j Json)> {
    if let Some(value) = object.get(field) {
        return Some((vec![PlaceSegment::name(field)], value));
    }
    let field_letters = letters(field);
    for (name, value) in object.iter() {
        if letters(name) == field_letters {
            return Some((vec![PlaceSegment::name(name)], value));
        }
    }
    let mut only = None;
    for (name, content) in object.iter() {
        let Some(inner) = content.as_object() else {
            continue;
        };
        if let Some((mut segments, value)) = member(inner, field) {
            if only.is_some() {
                return None;
            }
            segments.insert(0, PlaceSegment::name(name));
            only = Some((segments, value));
        }
    }
    only
}

/// A name without what `rename_all` changes.
fn letters(name: &str) -> String {
    let mut letters = String::with_capacity(name.len());
    for character in name.chars() {
        if character != '_' && character != '-' {
            letters.extend(character.to_lowercase());
        }
    }
    letters
}
