//! What both sides of the gateway go by: TLS, places, pace, and the end of a stream.

pub(crate) mod activity;
mod certificate;
pub(crate) mod client_body;
pub(crate) mod life;
pub(crate) mod pace;
pub(crate) mod places;
pub(crate) mod tls;
