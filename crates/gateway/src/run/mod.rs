//! The gateway as it runs: started, reloaded, drained, stopped.

pub(crate) mod admin;
pub(crate) mod gateway;
pub(crate) mod reload;
pub(crate) mod shared;
