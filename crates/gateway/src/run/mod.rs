//! The running gateway: start, reload, drain, stop.

pub(crate) mod admin;
pub(crate) mod door_socket;
pub(crate) mod files;
pub(crate) mod gateway;
pub(crate) mod reload;
pub(crate) mod state;
