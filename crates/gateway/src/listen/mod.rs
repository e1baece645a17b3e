//! Sockets, TLS and connections, and the bounds on what callers may hold of them.

pub(crate) mod bounds;
pub(crate) mod connection;
pub(crate) mod context;
pub(crate) mod http_stream;
pub(crate) mod listener;
pub(crate) mod requests;
pub(crate) mod response_body;
pub(crate) mod socket;
pub(crate) mod stall;
