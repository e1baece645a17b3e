//! The live decision against a real identity provider on loopback, with the clock in hand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should stop"
)]

mod cache;
mod claims;
mod discovery;
mod explain;
mod faults;
mod flood;
mod hints;
mod outage;
mod rotation;
mod tenant;
mod world;
