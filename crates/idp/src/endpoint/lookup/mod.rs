//! What can be looked up: metadata, keys, the facts behind a token.

pub(crate) mod discovery;
pub(crate) mod graph;
pub(crate) mod introspect;
pub(crate) mod tokeninfo;
pub(crate) mod userinfo;
