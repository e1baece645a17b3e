//! The grants: each is a form with a few members, and the rules for its response.

mod device;
mod exchange;
mod logout;
mod refresh;

pub use device::{DeviceFlow, DeviceProgress};
pub use exchange::SubjectToken;
