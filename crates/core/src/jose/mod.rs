//! JSON Object Signing and Encryption, the signing half, strictly.

pub mod algorithm;

pub use algorithm::Algorithm;
