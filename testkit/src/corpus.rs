//! The corpora of `conformance/corpus`; its README says how a row is read.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The file of this name, as the type that a suite reads its rows into.
pub fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = format!(
        "{}/../conformance/corpus/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The file of this name, as it is.
pub fn document(name: &str) -> Value {
    read(name)
}

/// The rows of a document.
pub fn rows(document: &Value) -> &[Value] {
    document["vectors"].as_array().unwrap()
}
