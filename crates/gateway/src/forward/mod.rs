//! Requests to upstreams and their responses: connections, headers and bodies.

pub(crate) mod body;
pub(crate) mod headers;
pub(crate) mod request_body;
pub(crate) mod upstream;
