//! A real gateway on loopback, between real clients, a real identity provider and real upstreams.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should stop"
)]

mod access;
mod bodies;
mod client;
mod identity_corpus;
mod path_corpus;
mod raw_corpus;
mod upstream;
mod world;
