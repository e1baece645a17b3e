//! What tests write documents and demands with.

use super::demand::ScopeSets;
use super::document::Document;
use super::text;

/// A document by its text.
pub(crate) fn document(text: &str) -> Document {
    Document::parse(&text::parse(text).unwrap()).unwrap()
}

/// Sets of scopes, written as `a+b|c`.
pub(crate) fn sets(text: &str) -> ScopeSets {
    let set = |set: &str| {
        let scopes = set.split('+').filter(|scope| !scope.is_empty());
        scopes.map(str::to_owned).collect()
    };
    ScopeSets::any_of(text.split('|').map(set))
}
