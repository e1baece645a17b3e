//! From a signed token to an access token: the profile, the table of checks, and the verifier that
//! runs it.

mod check;
pub mod checks;
mod display;
mod examination;
mod explain;
mod pattern;
mod profile;
#[cfg(test)]
mod reading_tests;
mod rows;
#[cfg(test)]
mod tests;
mod token_type;
mod verification;
mod verifier;

pub use checks::{Check, Stage};
pub use explain::{Outcome, Step};
pub use pattern::{Pattern, PatternError};
pub use profile::{Condition, ExpectedValue, Profile};
pub use token_type::TokenType;
pub use verifier::Verifier;
