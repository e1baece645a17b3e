//! The browser session: its cookie, its pages, and its end.

pub(crate) mod browser;
pub(crate) mod logout;
pub(crate) mod pages;
