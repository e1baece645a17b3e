//! One reading of what came in: the request line, the host, the path, and who sends it.

pub(crate) mod caller;
pub(crate) mod certificate;
pub(crate) mod connection_auth;
pub(crate) mod fields;
pub(crate) mod host;
pub(crate) mod incoming;
pub(crate) mod origin;
pub(crate) mod path;
pub(crate) mod peer;
pub(crate) mod preflight;
pub(crate) mod target;
pub(crate) mod trace;
