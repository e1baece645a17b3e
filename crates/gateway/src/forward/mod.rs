//! What goes to an upstream and what comes back: connections, headers and bodies.

pub(crate) mod body;
pub(crate) mod headers;
pub(crate) mod request_body;
pub(crate) mod upstream;
