//! The command as people run it.

#![allow(clippy::unwrap_used)]

mod config_check;
