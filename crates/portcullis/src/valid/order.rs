//! The caller comes first: a handler that reads a request before it verifies the caller is caught.
//!
//! axum runs the arguments of a handler in their order. If `Valid<Query<T>>` stood before
//! `AuthorizedCaller`, a stranger would learn the schema from a 422. So reading leaves a mark, and
//! `AuthorizedCaller` refuses a request that has it: such a handler fails at its first call.

use crate::AccessToken;
use http::Extensions;

/// A mark in the request: something was read before its caller was verified.
#[derive(Clone)]
struct EarlyRead;

/// Leaves the mark, unless a layer or an argument verified the caller.
pub(super) fn remember(extensions: &mut Extensions) {
    if extensions.get::<AccessToken>().is_none() {
        extensions.insert(EarlyRead);
    }
}

/// Whether the request has the mark.
pub(crate) fn is_read_early(extensions: &Extensions) -> bool {
    extensions.get::<EarlyRead>().is_some()
}
