//! What the integration tests and benches of several crates share: a clock that stands still, a
//! provider and a server on it, a server that gives one answer, the corpora, and HTTP/2 by hand.
//!
//! It is a dependency of tests and benches only, and not published.

#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "it is test code: it stops where something is wrong"
)]

pub mod answering;
pub mod corpus;
pub mod corpus_verifier;
mod proof_key;
pub mod raw_http2;
mod setup;

pub use answering::{Answer, AnsweringServer, Request};
pub use corpus_verifier::CorpusVerifier;
pub use proof_key::ProofKey;
pub use setup::{
    AUDIENCE, NOW, ResourceServerSetup, clock, decide, decide_by, eventually, idp_on, server_on,
};
