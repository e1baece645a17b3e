//! The application with a development identity provider inside, on SQLite and on PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails should stop"
)]

mod access;
mod bodies;
mod postgres;
mod rows;
mod running;
mod setup;
