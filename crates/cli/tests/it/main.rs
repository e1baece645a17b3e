//! The command as people run it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod config_check;
#[cfg(feature = "yaml")]
mod config_openapi;
mod folder;
