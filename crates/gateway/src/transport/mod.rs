//! Shared by both sides of the gateway: TLS, slots, pace, and the end of a stream.

pub(crate) mod activity;
mod certificate;
pub(crate) mod client_body;
pub(crate) mod life;
pub(crate) mod pace;
pub(crate) mod slots;
pub(crate) mod tls;
