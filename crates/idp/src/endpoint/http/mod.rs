//! How requests are read and errors are written, for every endpoint.

pub(crate) mod basic;
pub(crate) mod bearer;
pub(crate) mod caller;
pub(crate) mod error;
pub(crate) mod header;
pub(crate) mod params;
pub(crate) mod peer;
