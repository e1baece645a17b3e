//! Against the development identity provider, which is a transmitter, and against a server that
//! answers as it is told.

mod answers;
mod peer;
mod scripted;
