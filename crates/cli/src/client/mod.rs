//! The OAuth client as which a command asks a provider: its issuer, its id and its credentials.
//!
//! `token`, `curl` and `logout` share it. Its errors say what to do next.

mod connect;
mod credentials;
mod error;
mod identity;
mod network;
mod variables;

pub(crate) use connect::{connect, discover};
pub(crate) use credentials::read_secret_file;
pub(crate) use error::convert_error;
pub(crate) use identity::{ClientIdentity, StoredClient};
pub(crate) use network::no_response;
pub(crate) use variables::{ClientVariables, names_issuer};
