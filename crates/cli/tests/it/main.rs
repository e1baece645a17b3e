//! The command as people run it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod config_check;
mod config_files;
mod config_init;
#[cfg(feature = "dev")]
mod config_online;
#[cfg(feature = "yaml")]
mod config_openapi;
mod config_summary;
mod folder;
#[cfg(feature = "dev")]
mod idp;
mod serve;
