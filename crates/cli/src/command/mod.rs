//! The commands, one file each.

#[cfg(feature = "dev")]
pub(crate) mod dev;
pub(crate) mod explain;
#[cfg(feature = "dev")]
pub(crate) mod idp;
pub(crate) mod revoke;
pub(crate) mod token;
