//! Sockets, TLS and connections, and the bounds on what callers may hold of them.

pub(crate) mod activity;
pub(crate) mod bounds;
pub(crate) mod connection;
pub(crate) mod listener;
pub(crate) mod pace;
pub(crate) mod places;
pub(crate) mod requests;
pub(crate) mod socket;
pub(crate) mod stall;
pub(crate) mod tls;
