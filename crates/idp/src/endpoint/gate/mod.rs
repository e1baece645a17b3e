//! Middleware: what happens to every request before and after its endpoint.

pub(crate) mod clock;
pub(crate) mod cors;
pub(crate) mod fault;
pub(crate) mod host;
pub(crate) mod journal;
pub(crate) mod marks;
pub(crate) mod own_pages;
pub(crate) mod summary;
