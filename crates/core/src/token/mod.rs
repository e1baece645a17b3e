//! The nouns of a token: issuer, audience, scope, time, claims.

mod access_token;
mod audience;
mod claim_path;
mod claims;
mod identity;
pub mod introspection;
pub mod issuer;
mod kind;
mod mapping;
mod opaque;
pub mod scope;
mod time;

pub(crate) use access_token::Origin;
pub use access_token::{AccessToken, KeyId, VerifiedToken};
pub use audience::Audiences;
pub use claim_path::{ClaimPath, ClaimPathError};
pub use claims::Claims;
pub use identity::{Identity, Membership};
pub use issuer::Issuer;
pub use kind::Kind;
pub(crate) use kind::names_a_person;
pub use mapping::Mapping;
pub use opaque::OpaqueToken;
pub use scope::Scopes;
pub use time::NumericDate;
