//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod config;
#[cfg(feature = "dev")]
pub(crate) mod dev;
pub(crate) mod explain;
#[cfg(feature = "dev")]
pub(crate) mod idp;
pub(crate) mod keys;
pub(crate) mod revoke;
pub(crate) mod serve;
pub(crate) mod token;
