//! The client of a request: who it is, what it proves, what it may ask for.

pub(crate) mod assertion;
pub(crate) mod authentication;
pub(crate) mod certificate;
pub(crate) mod dpop;
pub(crate) mod mismatch;
pub(crate) mod redirect_uri;
pub(crate) mod target;
