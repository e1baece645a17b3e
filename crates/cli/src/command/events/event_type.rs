//! The types of events, by the last part of their URI.

use crate::exit::CommandError;
use crate::output::escape_text;
use portcullis_core::event::EventType;
use portcullis_core::rejection::quote;
use portcullis_resource_server::EventEffect;

/// The URIs of the types that were named; without any, of those that a receiver can act on.
///
/// # Errors
///
/// A name that is unknown, and no URI.
pub(super) fn resolve(names: &[String]) -> Result<Vec<String>, CommandError> {
    let mut uris = Vec::new();
    if names.is_empty() {
        for event in EventType::ALL
            .iter()
            .filter(|event| is_useful(**event))
        {
            uris.push(event.uri());
        }
        return Ok(uris);
    }
    for name in names {
        let uri = uri(name)?;
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    Ok(uris)
}

/// Whether a receiver ends anything by it: always, or where its settings say so.
fn is_useful(event: EventType) -> bool {
    let by_choice = matches!(
        event,
        EventType::TokenClaimsChange
            | EventType::AssuranceLevelChange
            | EventType::DeviceComplianceChange
            | EventType::RiskLevelChange
    );
    by_choice || EventEffect::of(event) != EventEffect::Nothing
}

fn uri(name: &str) -> Result<String, CommandError> {
    if let Some(event) = EventType::from_name(name) {
        return Ok(event.uri());
    }
    if name.contains(':') && !name.contains(char::is_whitespace) {
        return Ok(name.to_owned());
    }
    let message = format!(
        "`--event`: expected a type such as session-revoked, or its URI, found {}",
        quote(name)
    );
    let known: Vec<&str> = EventType::ALL
        .iter()
        .filter(|event| !event.is_about_stream())
        .map(|event| event.name())
        .collect();
    Err(CommandError::could_not_run(message).help(format!("these are known: {}", known.join(", "))))
}

/// The name of a type if it is known, else its URI.
pub(super) fn shorten(uri: &str) -> String {
    match EventType::from_uri(uri) {
        Some(event) => event.name().to_owned(),
        None => escape_text(uri),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_known_by_its_name_and_its_uri() {
        let revoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
        let disabled = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
        let names = ["session-revoked", revoked, "account-disabled", "urn:x:y"];
        let uris = resolve(&names.map(str::to_owned)).unwrap();
        assert_eq!(uris, [revoked, disabled, "urn:x:y"]);
        for name in ["", "session-revoke", "a b:c"] {
            assert!(uri(name).is_err(), "{name}");
        }
        assert_eq!(shorten(revoked), "session-revoked");
        assert_eq!(shorten("urn:x:\u{1b}[1m"), "urn:x:\\u{1b}[1m");
    }

    #[test]
    fn the_usual_types_are_those_that_can_end_something() {
        let usual = resolve(&[]).unwrap();
        let has = |name: &str| {
            usual
                .iter()
                .any(|uri| uri.ends_with(&format!("/{name}")))
        };
        for name in ["session-revoked", "account-enabled", "risk-level-change"] {
            assert!(has(name), "{name}");
        }
        for name in ["session-presented", "opt-in", "verification"] {
            assert!(!has(name), "{name}");
        }
    }
}
