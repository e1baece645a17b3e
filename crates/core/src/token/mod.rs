//! The nouns of a token: issuer, audience, scope, time, claims.

mod access_token;
mod audience;
mod claim_path;
mod claims;
pub mod issuer;
pub mod scope;
mod time;

pub use access_token::{AccessToken, KeyId};
pub use audience::Audiences;
pub use claim_path::{ClaimPath, ClaimPathError};
pub use claims::Claims;
pub use issuer::Issuer;
pub use scope::Scopes;
pub use time::NumericDate;
