//! How a user grants access: in a browser, after a pushed request, or for a device.

pub(crate) mod answer;
pub(crate) mod code;
pub(crate) mod device;
pub(crate) mod pushed;
pub(crate) mod request;
