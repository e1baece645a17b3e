//! The grants: each is a few members in a form, and what its answer has to fit.

mod device;
mod exchange;
mod logout;
mod refresh;

pub use device::{DeviceFlow, DeviceProgress};
pub use exchange::SubjectToken;
