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
mod resource_cases;
mod settings_cases;
mod tls_front;
mod transmitter_cases;
