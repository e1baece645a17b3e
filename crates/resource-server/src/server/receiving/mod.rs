//! What the server does with logouts and events that come: each is proven, takes effect, and only
//! then is taken.

mod answer;
mod event;
mod logout;
mod poll;
mod watch;

pub use answer::{ReceiverAnswer, ReceiverRequest};
