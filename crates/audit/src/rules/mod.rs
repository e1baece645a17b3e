//! The table of all rules, a file for each group.

mod algorithms;
mod clients;
mod clock;
mod endpoints;
mod grants;
mod http;
mod keys;
mod metadata;
mod ours;
mod ours_listeners;
mod ours_proofs;
mod ours_routes;
mod resource;
mod resource_requests;
mod tls;
mod token;
mod transmitter;
mod transmitter_streams;

use crate::rule::Rule;

/// The groups, with the heading of each, in the order of reports.
pub const GROUPS: &[(&str, &[Rule])] = &[
    ("Metadata", metadata::RULES),
    ("Endpoints", endpoints::RULES),
    ("Grants and flows", grants::RULES),
    ("Client authentication", clients::RULES),
    ("Algorithms", algorithms::RULES),
    ("Keys", keys::RULES),
    ("TLS", tls::RULES),
    ("HTTP", http::RULES),
    ("Clock", clock::RULES),
    ("Sample token", token::RULES),
    ("Protected resource", resource::RULES),
    ("Requests to an API", resource_requests::RULES),
    ("Transmitter of security events", transmitter::RULES),
    (
        "Transmitter of security events: streams",
        transmitter_streams::RULES,
    ),
    ("Our settings: issuers", ours::RULES),
    ("Our settings: routes", ours_routes::RULES),
    ("Our settings: proofs", ours_proofs::RULES),
    ("Our settings: listeners and files", ours_listeners::RULES),
];

/// Every rule, in the order of [`GROUPS`].
pub fn all() -> impl Iterator<Item = &'static Rule> {
    GROUPS.iter().flat_map(|(_, rules)| *rules)
}

/// The rule of this name.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// The heading of the group that a rule is in.
#[must_use]
pub fn group_of(id: &str) -> &'static str {
    for (title, rules) in GROUPS {
        if rules.iter().any(|rule| rule.id == id) {
            return title;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_texts_are_written_as_messages_are() {
        let mut names = HashSet::new();
        for rule in all() {
            assert!(names.insert(rule.id), "{} is there twice", rule.id);
            let name = rule.id.strip_prefix("audit.").unwrap();
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{name}"
            );
            for text in [rule.title, rule.cure] {
                assert!(
                    !text.ends_with('.') && !text.is_empty(),
                    "{}: {text}",
                    rule.id
                );
                // Names such as RSA begin with a capital; other texts do not.
                let first: Vec<char> = text.chars().take(2).collect();
                assert!(
                    !first[0].is_uppercase() || first[1].is_uppercase(),
                    "{}: {text}",
                    rule.id
                );
            }
            assert!(
                rule.section.contains("section") || rule.section.contains("docs/"),
                "{}",
                rule.id
            );
        }
    }

    #[test]
    fn rules_are_found_by_name_and_have_a_heading() {
        assert_eq!(
            find("audit.pkce_missing").map(|rule| rule.section),
            Some("RFC 9700, section 2.1.1")
        );
        assert!(find("audit.nothing").is_none());
        assert_eq!(group_of("audit.pkce_missing"), "Grants and flows");
        assert_eq!(group_of("audit.nothing"), "");
    }
}
