//! The kinds of fault, and their words: those of pydantic 2, without what the caller sent.

use super::fault::{PlaceSegment, RequestFault};
use serde_json::Value;

/// Where a fault is.
pub(super) type Place = Vec<PlaceSegment>;

pub(super) fn missing(place: Place) -> RequestFault {
    RequestFault::new(place, "missing", "Field required")
}

pub(super) fn extra(place: Place) -> RequestFault {
    RequestFault::new(place, EXTRA, "Extra inputs are not permitted")
}

/// The kind of an unknown member or parameter.
pub(super) const EXTRA: &str = "extra_forbidden";

pub(super) fn several_values(place: Place) -> RequestFault {
    RequestFault::new(
        place,
        "multiple_argument_values",
        "Got multiple values for argument",
    )
}

/// A type that has no value of its own in words: `kind` is one of [`TYPES`].
pub(super) fn of_type(place: Place, kind: &'static str) -> RequestFault {
    let mut message = "Input should be valid";
    for (name, words) in TYPES {
        if name == kind {
            message = words;
        }
    }
    RequestFault::new(place, kind, message)
}

/// The kinds without bounds.
const TYPES: [(&str, &str); 31] = [
    ("string_type", "Input should be a valid string"),
    ("int_type", "Input should be a valid integer"),
    (
        "int_from_float",
        "Input should be a valid integer, got a number with a fractional part",
    ),
    (
        "int_parsing",
        "Input should be a valid integer, unable to parse string as an integer",
    ),
    ("float_type", "Input should be a valid number"),
    (
        "float_parsing",
        "Input should be a valid number, unable to parse string as a number",
    ),
    ("bool_type", "Input should be a valid boolean"),
    (
        "bool_parsing",
        "Input should be a valid boolean, unable to interpret input",
    ),
    ("list_type", "Input should be a valid list"),
    ("tuple_type", "Input should be a valid tuple"),
    ("dict_type", "Input should be a valid dictionary"),
    (
        "model_attributes_type",
        "Input should be a valid dictionary or object to extract fields from",
    ),
    ("none_required", "Input should be None"),
    ("uuid_type", "Input should be a valid UUID"),
    ("datetime_type", "Input should be a valid datetime"),
    ("date_type", "Input should be a valid date"),
    ("time_type", "Input should be a valid time"),
    ("uuid_parsing", "Input should be a valid UUID"),
    (
        "datetime_from_date_parsing",
        "Input should be a valid datetime or date",
    ),
    (
        "date_from_datetime_parsing",
        "Input should be a valid date or datetime",
    ),
    ("time_parsing", "Input should be in a valid time format"),
    ("time_delta_parsing", "Input should be a valid timedelta"),
    ("url_parsing", "Input should be a valid URL"),
    (
        "ip_any_address",
        "value is not a valid IPv4 or IPv6 address",
    ),
    ("ip_v4_address", "Input is not a valid IPv4 address"),
    ("ip_v6_address", "Input is not a valid IPv6 address"),
    (
        "string_ascii",
        "String should contain only ASCII characters",
    ),
    (
        "string_alphanumeric",
        "String should contain only letters and digits",
    ),
    ("credit_card", "value is not a valid credit card number"),
    ("phone_number", "value is not a valid phone number"),
    ("value_error", "Value error"),
];

/// A text in a format of JSON Schema.
pub(super) fn of_format(place: Place, format: &str) -> RequestFault {
    let kind = match format {
        "uuid" => "uuid_parsing",
        "date-time" | "partial-date-time" => "datetime_from_date_parsing",
        "date" => "date_from_datetime_parsing",
        "time" | "partial-time" => "time_parsing",
        "duration" => "time_delta_parsing",
        "uri" | "iri" | "uri-reference" => "url_parsing",
        "ip" => "ip_any_address",
        "ipv4" => "ip_v4_address",
        "ipv6" => "ip_v6_address",
        "email" | "idn-email" => {
            return RequestFault::new(place, "value_error", "value is not a valid email address");
        }
        _ => "value_error",
    };
    of_type(place, kind)
}

pub(super) fn too_short(place: Place, is_text: bool, least: u64) -> RequestFault {
    let fault = if is_text {
        let message = format!("String should have at least {least} {}", characters(least));
        RequestFault::new(place, "string_too_short", message)
    } else {
        let message = format!(
            "List should have at least {least} {} after validation",
            items(least)
        );
        RequestFault::new(place, "too_short", message).with("field_type", "List")
    };
    fault.with("min_length", least)
}

pub(super) fn too_long(place: Place, is_text: bool, most: u64) -> RequestFault {
    let fault = if is_text {
        let message = format!("String should have at most {most} {}", characters(most));
        RequestFault::new(place, "string_too_long", message)
    } else {
        let message = format!(
            "List should have at most {most} {} after validation",
            items(most)
        );
        RequestFault::new(place, "too_long", message).with("field_type", "List")
    };
    fault.with("max_length", most)
}

fn characters(count: u64) -> &'static str {
    if count == 1 {
        "character"
    } else {
        "characters"
    }
}

fn items(count: u64) -> &'static str {
    if count == 1 { "item" } else { "items" }
}

/// A bound of a number.
#[derive(Clone, Copy, Debug)]
pub(super) enum NumberBound {
    AtLeast,
    Above,
    AtMost,
    Below,
    MultipleOf,
}

pub(super) fn out_of_range(place: Place, bound: NumberBound, limit: Value) -> RequestFault {
    let (kind, words, name) = match bound {
        NumberBound::AtLeast => ("greater_than_equal", "greater than or equal to", "ge"),
        NumberBound::Above => ("greater_than", "greater than", "gt"),
        NumberBound::AtMost => ("less_than_equal", "less than or equal to", "le"),
        NumberBound::Below => ("less_than", "less than", "lt"),
        NumberBound::MultipleOf => ("multiple_of", "a multiple of", "multiple_of"),
    };
    let message = format!("Input should be {words} {limit}");
    RequestFault::new(place, kind, message).with(name, limit)
}

pub(super) fn pattern(place: Place, pattern: &str) -> RequestFault {
    let message = format!("String should match pattern '{pattern}'");
    RequestFault::new(place, "string_pattern_mismatch", message).with("pattern", pattern)
}

/// One of several values: `kind` is `enum`, or `literal_error` for a single one.
pub(super) fn choice(place: Place, kind: &'static str, values: &[&Value]) -> RequestFault {
    let expected = alternatives(values, " or ");
    let message = format!("Input should be {expected}");
    RequestFault::new(place, kind, message).with("expected", expected)
}

/// No variant has the tag in the member `discriminator`.
pub(super) fn tag(place: Place, discriminator: &str, values: &[&Value]) -> RequestFault {
    let tags = alternatives(values, ", ");
    let message = format!(
        "Input tag found using '{discriminator}' does not match any of the expected tags: {tags}"
    );
    RequestFault::new(place, "union_tag_invalid", message)
        .with("discriminator", format!("'{discriminator}'"))
        .with("expected_tags", tags)
}

/// The member that would tell the variant is absent.
pub(super) fn no_tag(place: Place, discriminator: &str) -> RequestFault {
    let message = format!("Unable to extract tag using discriminator '{discriminator}'");
    RequestFault::new(place, "union_tag_not_found", message)
        .with("discriminator", format!("'{discriminator}'"))
}

/// `'a', 'b' or 'c'`, with this before the last one.
fn alternatives(values: &[&Value], last: &str) -> String {
    let mut text = String::new();
    for (number, value) in values.iter().enumerate() {
        if number > 0 {
            text.push_str(if number + 1 == values.len() {
                last
            } else {
                ", "
            });
        }
        match value {
            Value::String(value) => text.push_str(&format!("'{value}'")),
            value => text.push_str(&value.to_string()),
        }
    }
    text
}

/// A body that is no JSON, noticed at this byte.
pub(super) fn no_json(place: Place, reason: &'static str) -> RequestFault {
    RequestFault::new(place, "json_invalid", "JSON decode error").with("error", reason)
}

/// A rule of the application's own, in its words.
pub(super) fn own_rule(place: Place, words: Option<&str>) -> RequestFault {
    match words {
        None => of_type(place, "value_error"),
        Some(words) => RequestFault::new(place, "value_error", format!("Value error, {words}"))
            .with("error", words),
    }
}
