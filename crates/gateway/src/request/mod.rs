//! One reading of what came in: the request line, the host, the path, and who sends it.

pub(crate) mod asked;
pub(crate) mod caller;
pub(crate) mod host;
pub(crate) mod path;
pub(crate) mod preflight;
