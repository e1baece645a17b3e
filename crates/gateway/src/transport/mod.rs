//! Shared by both sides of the gateway: TLS, slots, pace, and the end of a stream or of a body.

pub(crate) mod activity;
pub(crate) mod body_watch;
mod certificate;
pub(crate) mod client_body;
pub(crate) mod client_certificate;
pub(crate) mod file_setting;
pub(crate) mod key_file;
pub(crate) mod life;
pub(crate) mod pace;
pub(crate) mod slots;
pub(crate) mod tls;
