//! A token taken apart.

use crate::endpoint::console::time;
use crate::token::claims::JsonObject;
use maud::{Markup, html};
use serde_json::Value;

/// The claims that are times.
const TIMES: [&str; 5] = ["iat", "exp", "nbf", "auth_time", "updated_at"];

/// The three parts of a JWT in different colours.
pub(crate) fn colour_parts(token: &str) -> Markup {
    // An opaque token may have dots too: only three parts make a JWT.
    let parts: Vec<&str> = token.split('.').collect();
    html! {
        @if let [header, claims, signature] = parts[..] {
            span.part-header { (header) } "."
            span.part-claims { (claims) } "."
            span.part-signature { (signature) }
        } @else { (token) }
    }
}

/// The members of a header or of claims, with dates in words.
pub(crate) fn member_table(label: &str, members: &JsonObject, now: u64) -> Markup {
    html! {
        table.members aria-label=(label) { tbody { @for (name, value) in members { tr {
            th scope="row" { code { (breakable(name)) } }
            // As JSON, so that a text "1" and a number 1 differ.
            td {
                code { (value.to_string()) }
                @if let Some(at) = time_of(name, value) {
                    " " span.quiet { (time::when(at, now)) " · " (time::date(at)) }
                }
            }
        } } } }
    }
}

/// Names and texts, such as parameters.
pub(crate) fn pair_table(label: &str, pairs: &[(String, String)]) -> Markup {
    html! {
        table.members aria-label=(label) { tbody { @for (name, value) in pairs { tr {
            th scope="row" { code { (breakable(name)) } }
            td {
                // The journal hides secrets so.
                @if value.starts_with("hidden, ") { span.quiet { (value) } }
                @else { code { (value) } }
            }
        } } } }
    }
}

/// A name that a narrow page breaks between its words.
pub(crate) fn breakable(name: &str) -> Markup {
    html! {
        @for (place, part) in name.split('_').enumerate() {
            @if place > 0 { "_" wbr; }
            (part)
        }
    }
}

fn time_of(name: &str, value: &Value) -> Option<u64> {
    // Only numbers: a time as a text can be read, or is wrong on purpose.
    value.as_u64().filter(|_| TIMES.contains(&name))
}
