//! What leaves the provider signed: tokens, logout tokens, security events.

pub(crate) mod builder;
pub(crate) mod event;
pub(crate) mod logout;
pub(crate) mod wrong;
