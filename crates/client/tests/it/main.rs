//! The client with a real provider, our own, and with one that answers as a test wants it.

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
