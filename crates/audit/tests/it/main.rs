//! The audit, by its rules: a case for each, and real handshakes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should stop"
)]

mod document;
mod gathering;
mod handshakes;
mod issuer_cases;
mod provider_shapes;
mod report;
mod settings_cases;
mod tls_front;
