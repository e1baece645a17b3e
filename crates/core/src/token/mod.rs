//! The nouns of a token: issuer, audience, scope, time, claims.

pub mod issuer;
pub mod scope;

pub use issuer::Issuer;
pub use scope::Scopes;
