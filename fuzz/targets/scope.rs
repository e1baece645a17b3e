//! Any text as a scope string and as a claim path.

use portcullis_core::token::{ClaimPath, Scopes};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let scopes = Scopes::parse(text);
    assert!(
        scopes
            .iter()
            .all(|scope| !scope.is_empty() && !scope.contains(' ') && scopes.contains(scope))
    );
    assert_eq!(Scopes::parse(&scopes.to_string()), scopes);
    if let Ok(path) = ClaimPath::parse(text) {
        assert_eq!(ClaimPath::parse(&path.to_string()), Ok(path));
    }
}
