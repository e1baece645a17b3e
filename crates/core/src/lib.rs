//! The pure decision: bytes, keys and the time go in, a decision comes out.
//!
//! No sockets, no clock, no runtime. The path of one token, where each type can be made only by the
//! stage before it, so that a skipped check does not compile:
//!
//! ```text
//! credential::find         headers         -> Credential
//! jose::compact::parse     Credential      -> UnverifiedToken   strict base64url and JSON, bounded
//! Verifier::screen         alg, typ, times -> ok                 junk never causes a fetch
//! Jwks::select             kid, alg        -> VerifyingKey
//! jose::signature::check   token and key   -> SignedToken
//! Verifier::verify         the check table -> VerifiedToken
//! proof::prove             what it shows   -> AccessToken       its binding is proven, if any
//! policy::permit           requirement     -> Permit
//! ```
//!
//! The checks are one table, [`verify::checks::CHECKS`]. Keys are found and fetched by
//! `portcullis-resource-server`; most applications use the crate `portcullis`.
//!
//! ```
//! use portcullis_core::jose::{Jwks, Selection, compact, signature};
//! use portcullis_core::token::{Audiences, Issuer, NumericDate, VerifiedToken};
//! use portcullis_core::verify::{Profile, Verifier};
//! use portcullis_core::{Limits, Rejection};
//!
//! fn verify(token: &str, keys: &Jwks, now: NumericDate) -> Result<VerifiedToken, Rejection> {
//!     let issuer = Issuer::parse("https://idp.example").expect("an issuer");
//!     let audiences = Audiences::new(["https://api.example"]).expect("an audience");
//!     let verifier = Verifier::new(issuer, audiences, Profile::rfc9068());
//!
//!     let token = compact::parse(token, &Limits::default())?;
//!     verifier.screen(&token, now)?;
//!     let header = token.header();
//!     let kid = header.kid.as_deref();
//!     let Selection::Keys(candidates) = keys.select(kid, header.algorithm) else {
//!         return Err(Rejection::of_unknown_key(kid));
//!     };
//!     verifier.verify(signature::check(token, &candidates)?, now)
//! }
//! ```

pub mod challenge;
mod code_links;
pub mod config;
pub mod cookie;
pub mod credential;
pub mod decision;
mod denial;
pub mod dialect;
mod effective_url;
pub mod event;
pub mod jose;
pub mod limits;
pub mod outage;
pub mod policy;
pub mod proof;
pub mod rejection;
pub mod token;
pub mod verify;

pub use code_links::CodeLinks;
pub use config::{ConfigError, ConfigErrors, Faults};
pub use decision::Decision;
pub use denial::Denial;
pub use dialect::Dialect;
pub use effective_url::{EffectiveUrl, HttpScheme};
pub use limits::Limits;
pub use outage::{Outage, OutageCode};
pub use policy::{Permit, Requirement, Rule, Ruling};
pub use rejection::{Code, Rejection};
