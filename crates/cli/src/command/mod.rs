//! The commands, one file or folder each. Each has a `run`, which returns the exit code.

pub(crate) mod audit;
pub(crate) mod config;
pub(crate) mod curl;
#[cfg(feature = "dev")]
pub(crate) mod dev;
pub(crate) mod events;
pub(crate) mod explain;
#[cfg(feature = "dev")]
pub(crate) mod idp;
pub(crate) mod keys;
pub(crate) mod logout;
#[cfg_attr(not(feature = "redis"), path = "revoke_absent.rs")]
pub(crate) mod revoke;
pub(crate) mod serve;
pub(crate) mod shell;
pub(crate) mod token;
