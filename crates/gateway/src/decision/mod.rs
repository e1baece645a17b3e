//! Whether a request may pass: its route, what the route demands, and the limit on refused callers.

pub(crate) mod cedar;
pub(crate) mod cors;
pub(crate) mod failing;
pub(crate) mod policy;
pub(crate) mod routes;
pub(crate) mod time;
