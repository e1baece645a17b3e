//! A development identity provider and test kit: OAuth 2.0 and OpenID Connect on loopback.
//!
//! For people without an identity provider, and for tests that need one: client credentials,
//! authorization code with PKCE, device grant, token exchange, refresh with rotation, pushed
//! requests, DPoP, certificates, introspection, revocation, registration, logout, security events;
//! rotation of keys and faults on command; and tokens straight away, good ones and deliberately bad
//! ones.
//!
//! **Never for production.** Passwords are known, keys are new at every start or lie in a file, and
//! anybody on the machine can have a token for anybody. It listens on loopback only, unless its
//! configuration says otherwise.
//!
//! In a test of one's own application:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use portcullis_idp::{Idp, IdpConfig};
//!
//! let idp = Idp::start(IdpConfig::default()).await?;
//! // Give `idp.issuer()` and `idp.audience()` to the application's settings, then call it with:
//! let good = idp.token("alice").scope("orders:read").sign();
//! let admin = idp.token("carol").role("Admin").sign();
//! let expired = idp.token("alice").expired().sign();
//! let forged = idp.token("alice").alg_none().sign();
//! # assert!([good, admin, expired, forged].iter().all(|token| token.split('.').count() == 3));
//! # Ok(())
//! # }
//! ```
//!
//! It can speak as a known provider does (`as = "entra"`, see [`Dialect`]): the same flows, but
//! tokens, metadata and key sets of that provider's shape, to test an application against each.
//!
//! It takes only nouns from `portcullis-core`, none of its parsers and checks: both sides must not
//! share a bug.

mod authority;
mod client;
mod config;
mod dialect;
mod endpoint;
mod events;
mod facts;
mod faults;
mod flaw;
mod idp;
mod journal;
mod jws;
mod key_file;
mod keys;
mod listen;
mod mint;
mod outbound;
mod serve;
mod state;
mod store;
mod tls;

pub use authority::ClientCertificate;
pub use client::{Client, ClientAuthentication};
pub use config::{IdpConfig, Secret, TokenFormat, User};
pub use dialect::Dialect;
pub use endpoint::logout::LogoutNotice;
pub use events::{EventNotice, SecurityEvent};
pub use faults::{Endpoint, Fault};
pub use flaw::Flaw;
pub use idp::Idp;
pub use keys::Overlap;
pub use mint::TokenBuilder;
pub use tls::Tls;
