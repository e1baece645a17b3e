//! Streams of security events (OpenID Shared Signals Framework 1.0), as CAEP and RISC use them.
//!
//! A client with a token of the scope `ssf.manage` (to read, `ssf.read` will do) makes streams for
//! itself, and gets events about every user but those it removed. Events are sent on command, and
//! when somebody logs out.

pub(crate) mod configuration;
pub(crate) mod poll;
pub(crate) mod request;
pub(crate) mod stream;
