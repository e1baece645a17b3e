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
//! let expired = idp.token("alice").expire().sign();
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

mod config;
mod dialect;
mod endpoint;
mod fault;
mod issue;
mod keys;
mod server;
mod state;
mod store;
mod token;

pub use config::IdpConfig;
pub use config::client::{ClientAuthentication, RegisteredClient};
pub use config::events::EventSettings;
#[cfg(feature = "schema")]
pub use config::schema::schema;
pub use config::secret::Secret;
pub use config::tls::Tls;
pub use config::user::User;
pub use dialect::Dialect;
pub use fault::Fault;
pub use fault::endpoint::Endpoint;
pub use fault::flaw::Flaw;
pub use issue::builder::TokenBuilder;
pub use issue::event::EventBuilder;
pub use issue::logout::LogoutNotice;
pub use issue::logout_token::LogoutTokenBuilder;
pub use issue::security_event::SecurityEvent;
pub use issue::subject::EventSubject;
pub use keys::Overlap;
pub use keys::authority::ClientCertificate;
pub use server::idp::Idp;
pub use store::notice::{EventError, EventNotice};
pub use store::stream::StreamStatus;
pub use token::kind::{FlowToken, TokenFormat};
/// A commented settings file to begin with.
pub const STARTER: &str = include_str!("starter.toml");
