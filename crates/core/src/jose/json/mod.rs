//! Strict JSON (RFC 8259) for headers, claims, key sets and metadata.
//!
//! Refuses: repeated members at any depth, anything that is not UTF-8, a byte order mark, lone
//! surrogates, numbers beyond an `f64`, trailing bytes, and documents deeper or fuller than the
//! [`Limits`]. The parser is our own, so that no other crate's feature flags can change how a token
//! is read.
//!
//! [`Limits`]: crate::Limits

mod fault;
mod parser;
mod serialize;
mod text;
mod value;

pub use fault::{JsonFault, JsonFaultKind};
pub use parser::parse;
pub use text::Text;
pub use value::{Json, Number, Object};
