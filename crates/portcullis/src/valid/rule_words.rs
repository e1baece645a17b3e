//! garde's own rules as kinds and bounds: it lets us word its messages, so we word them for
//! ourselves.

use super::fault::{PlaceSegment, RequestFault};
use super::wording::{self, NumberBound};
use garde::i18n::{I18n, InvalidCreditCard, InvalidEmail, InvalidPhoneNumber, InvalidUrl, IpKind};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Display;

/// Before and between the parts of a message: no sentence of an application has it.
const MARK: char = '\u{1}';

/// Words a message as a mark, a rule and a bound.
pub(super) struct RuleWords;

fn mark(rule: &str, bound: &dyn Display) -> Cow<'static, str> {
    format!("{MARK}{rule}{MARK}{bound}").into()
}

/// The fault of a message by [`RuleWords`]; nothing for a message of the application.
pub(super) fn fault_of(
    place: &[PlaceSegment],
    is_text: bool,
    message: &str,
) -> Option<RequestFault> {
    let (rule, bound) = message.strip_prefix(MARK)?.split_once(MARK)?;
    let place = place.to_vec();
    let number = || serde_json::from_str(bound).unwrap_or_else(|_| Value::from(bound));
    Some(match rule {
        "shortest" => wording::too_short(place, is_text, bound.parse().unwrap_or_default()),
        "longest" => wording::too_long(place, is_text, bound.parse().unwrap_or_default()),
        "least" => wording::out_of_range(place, NumberBound::AtLeast, number()),
        "most" => wording::out_of_range(place, NumberBound::AtMost, number()),
        "pattern" => wording::pattern(place, bound),
        "required" => wording::missing(place),
        "format" => wording::of_format(place, bound),
        "ascii" => wording::of_type(place, "string_ascii"),
        "alphanumeric" => wording::of_type(place, "string_alphanumeric"),
        "credit card" => wording::of_type(place, "credit_card"),
        "phone number" => wording::of_type(place, "phone_number"),
        _ => wording::own_rule(place, Some(&format!("expected {rule} '{bound}'"))),
    })
}

impl I18n for RuleWords {
    fn length_lower_than(&self, min: usize) -> Cow<'static, str> {
        mark("shortest", &min)
    }

    fn length_greater_than(&self, max: usize) -> Cow<'static, str> {
        mark("longest", &max)
    }

    fn range_lower_than(&self, min: &dyn Display) -> Cow<'static, str> {
        mark("least", min)
    }

    fn range_greater_than(&self, max: &dyn Display) -> Cow<'static, str> {
        mark("most", max)
    }

    fn credit_card_invalid(&self, _: InvalidCreditCard) -> Cow<'static, str> {
        mark("credit card", &"")
    }

    fn pattern_no_match(&self, pattern: &dyn Display) -> Cow<'static, str> {
        mark("pattern", pattern)
    }

    fn contains_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        mark("a text that contains", pattern)
    }

    fn url_invalid(&self, _: InvalidUrl) -> Cow<'static, str> {
        mark("format", &"uri")
    }

    fn prefix_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        mark("a text that begins with", pattern)
    }

    fn suffix_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        mark("a text that ends with", pattern)
    }

    fn phone_number_invalid(&self, _: InvalidPhoneNumber) -> Cow<'static, str> {
        mark("phone number", &"")
    }

    fn ip_invalid(&self, kind: IpKind) -> Cow<'static, str> {
        let format = match kind {
            IpKind::V4 => "ipv4",
            IpKind::V6 => "ipv6",
            IpKind::Any => "ip",
        };
        mark("format", &format)
    }

    fn matches_field_mismatch(&self, field: &dyn Display) -> Cow<'static, str> {
        mark("the value of", field)
    }

    fn email_invalid(&self, _: InvalidEmail) -> Cow<'static, str> {
        mark("format", &"email")
    }

    fn ascii_invalid(&self) -> Cow<'static, str> {
        mark("ascii", &"")
    }

    fn alphanumeric_invalid(&self) -> Cow<'static, str> {
        mark("alphanumeric", &"")
    }

    fn required_not_set(&self) -> Cow<'static, str> {
        mark("required", &"")
    }
}
