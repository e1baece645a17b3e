//! From a signed token to an access token: the profile, the table of checks, and the verifier that
//! runs it.

mod check;
pub mod checks;
mod explain;
mod found;
mod kinds;
mod pattern;
mod profile;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod tests;
mod verifier;

pub use checks::{Check, Stage};
pub use explain::{Outcome, Step};
pub use pattern::{Pattern, PatternError};
pub use profile::{Condition, Expected, Profile, TokenType};
pub use verifier::Verifier;
