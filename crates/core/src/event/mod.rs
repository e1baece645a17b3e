//! Tokens that tell of an end: logout tokens (OpenID Connect Back-Channel Logout 1.0), and security
//! events (RFC 8417) of the Shared Signals Framework 1.0, CAEP 1.0 and RISC 1.0.
//!
//! Both are JWTs of an issuer's keys, so both come from a [`SignedToken`] and from nothing else.
//! Each has a table of checks. It runs over the claims before the key is looked for, so that junk
//! causes no fetch, and over the proven ones again.
//!
//! Does not check: whether a token was used before, and whether a client may send it at all. What
//! an event does is for the receiver to say.
//!
//! ```
//! use portcullis_core::Limits;
//! use portcullis_core::event::{EventFault, LogoutTerms, LogoutToken};
//! use portcullis_core::jose::{compact, signature, VerifyingKey};
//! use portcullis_core::token::{Issuer, NumericDate};
//!
//! fn read(
//!     text: &str,
//!     keys: &[VerifyingKey],
//!     now: NumericDate,
//! ) -> Result<LogoutToken, EventFault> {
//!     let issuer = Issuer::parse("https://idp.example").expect("an issuer");
//!     let terms = LogoutTerms::new(issuer, ["web".to_owned()]);
//!     let token = compact::parse(text, &Limits::default())?;
//!     LogoutToken::screen(&token, &terms, now)?;
//!     LogoutToken::verify(signature::check(token, keys)?, &terms, now)
//! }
//! ```
//!
//! [`SignedToken`]: crate::jose::SignedToken

mod checks;
mod event_type;
mod examination;
mod fault;
mod logout;
mod security_event;
mod subject;
mod terms;
#[cfg(test)]
mod tests;

pub use event_type::EventType;
pub use fault::{EventErrorCode, EventFault};
pub use logout::LogoutToken;
pub use security_event::{SecurityEvent, SecurityEventToken};
pub use subject::{SubjectId, SubjectMember};
pub use terms::{EventProfile, EventTerms, LogoutTerms};
