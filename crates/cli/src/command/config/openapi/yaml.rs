//! Documents in YAML.

use super::node::Node;
use portcullis_core::ConfigError;

/// Reads a text in YAML.
#[cfg(any(feature = "yaml", test))]
pub(super) fn parse(text: &str) -> Result<Node, ConfigError> {
    serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| super::text::explain("YAML", &error.to_string()))
}

/// Reads nothing: this program was built for JSON only.
#[cfg(not(any(feature = "yaml", test)))]
pub(super) fn parse(_: &str) -> Result<Node, ConfigError> {
    Err(ConfigError::expected("", "a document in JSON")
        .found_as("another language, and this program was built without YAML")
        .help("take a build with the feature `yaml`, or convert the document to JSON"))
}

#[cfg(any(feature = "yaml", test))]
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: super::text::DEEPEST,
            // A scalar of the largest document has two bytes or more.
            max_events: 8_000_000,
            max_nodes: 4_000_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 1_000_000,
            max_replay_stack_depth: 32,
        },
        // `no` is a text in YAML 1.2, and scopes have been called worse.
        strict_booleans: true,
        null_as_string: true,
        // Numbers stand in examples only, so none is a reason to refuse a document.
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}
