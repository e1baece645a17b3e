//! Under construction.

pub mod jose;
pub mod token;
