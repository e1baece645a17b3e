//! The live decision against a real identity provider on loopback, with the clock in hand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that fails should stop"
)]

mod cache;
mod claims;
mod closed_network;
mod discovery;
mod explain;
mod faults;
mod flood;
mod groups;
mod hints;
mod identifiers;
mod inspect;
mod introspection;
mod key_file;
#[cfg(feature = "redis")]
mod lost_entries;
mod metrics;
mod outage;
mod packed;
mod possession;
mod receiver_answers;
mod receiver_effects;
mod receiver_polling;
mod receiver_screen;
mod receiver_setup;
#[cfg(feature = "redis")]
mod receiver_verification;
#[cfg(feature = "redis")]
mod receivers;
#[cfg(feature = "redis")]
mod redis;
mod replaced_key;
mod revocation;
mod rotation;
mod security_profile;
mod setup;
#[cfg(feature = "redis")]
mod shared_proofs;
#[cfg(feature = "redis")]
mod shared_revocation;
mod tenant;
mod token_watch;
mod trial;
#[cfg(feature = "redis")]
mod watched_streams;
