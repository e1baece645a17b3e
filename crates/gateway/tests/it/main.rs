//! A real gateway on loopback, between real clients, a real identity provider and real upstreams.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should stop"
)]

mod abuse;
mod access;
mod assertion;
mod base_path;
mod bodies;
mod busy;
mod caller_corpus;
mod callers;
#[cfg(feature = "cedar")]
mod cedar;
mod client;
mod cookie;
mod cors;
mod dashboard;
mod deaths;
mod door_corpus;
mod dying;
mod embedded;
mod explain;
mod ext_authz;
mod failure;
mod forward_auth;
mod framing;
mod hosts;
mod identity_corpus;
mod life;
mod observability;
mod path_corpus;
mod preflight;
mod proofs;
mod raw_corpus;
mod readers;
mod resources;
mod responses;
mod revoked_streams;
mod secure;
mod setup;
mod silence;
mod streams;
mod telemetry;
mod upstream;
mod url_corpus;
