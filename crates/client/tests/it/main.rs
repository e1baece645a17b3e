//! The client with the development identity provider, and with one that follows a script.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that fails should stop"
)]

mod as_meant;
mod attach;
mod flows;
mod loopback;
mod people;
mod provider;
mod scripted;
mod source;
mod with_ours;
