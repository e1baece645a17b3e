//! The gateway as it runs: started, reloaded, drained, stopped.

pub(crate) mod gateway;
pub(crate) mod generation;
pub(crate) mod life;
pub(crate) mod reload;
pub(crate) mod shared;
