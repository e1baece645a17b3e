//! The doors: how requests come in, and how answers go out. What is decided between the two is one and the same.

mod frames;
pub(crate) mod proxy;
mod websocket;
