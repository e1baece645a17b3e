//! One binary for all conformance suites, so that the workspace links once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::needless_pass_by_value,
    reason = "a test that fails should stop, and a suite prints its totals"
)]

mod bound_requirements;
mod bounds;
mod corpus;
mod documents;
mod e2e;
mod parity;
mod providers;
mod rfc;
mod tally;
mod vectors;
