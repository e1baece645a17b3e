//! Streams of security events (OpenID Shared Signals Framework 1.0), as CAEP and RISC use them.
//!
//! A client with a token of the scope `ssf.manage` (`ssf.read` for reading) creates streams for
//! itself, and gets events about every user except those that it removed. Events are sent on
//! command, and at every logout.

pub(crate) mod configuration;
pub(crate) mod poll;
pub(crate) mod request;
pub(crate) mod status;
pub(crate) mod stream;
pub(crate) mod subject;
