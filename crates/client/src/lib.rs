//! Tokens from an identity provider: for services, for people, and in exchange for others.
//!
//! A service that calls another one:
//!
//! ```no_run
//! use portcullis_client::{Authentication, Client, Provider, Secret, TokenSource};
//!
//! # async fn example(secret: Secret) -> Result<(), portcullis_client::Error> {
//! let provider = Provider::discover("https://idp.example").await?;
//! let client = Client::new(provider, "orders-service", Authentication::secret_basic(secret));
//! let source = TokenSource::client_credentials(client).scope("orders:read").build();
//!
//! let token = source.token().await?; // kept, renewed before it ends, one fetch for all callers
//! # let _ = token.authorization();
//! # Ok(())
//! # }
//! ```
//!
//! What goes out is bounded in time and size, follows no redirect, and goes to https only, except
//! on loopback. What comes in is read strictly: another issuer, another type of token or a repeated
//! member is no token. Tokens, secrets and keys are wiped when they are dropped (copies that the
//! TLS and JSON layers made on the way are not), and have no way to be printed; taking a text out
//! is a call that says so.
//!
//! People sign in by [`Client::authorization_code`] with a [`LoopbackRedirect`], or by
//! [`Client::device`] where there is no browser; both give [`TokenResponse`].
//!
//! It needs a Tokio runtime. No HTTP client shows in the API.

#[cfg(any(feature = "tower", feature = "reqwest-middleware"))]
mod attach;
mod authentication;
mod client;
mod code;
mod dpop;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod grant;
mod id_token;
mod metadata;
mod provider;
mod random;
mod request;
mod response;
mod source;
mod token;

#[cfg(feature = "reqwest-middleware")]
pub use attach::TokenMiddleware;
#[cfg(feature = "tower")]
pub use attach::{TokenLayer, TokenService};
pub use authentication::{Authentication, PrivateKey};
pub use client::Client;
pub use code::{AuthorizationRequest, CodeFlow, LoopbackRedirect};
pub use dpop::DpopKey;
pub use error::{Error, InvalidResponse, Refusal};
pub use grant::{DeviceFlow, DeviceProgress, SubjectToken};
pub use id_token::IdToken;
pub use metadata::ServerMetadata;
pub use portcullis_provider::client_auth::Secret;
pub use portcullis_provider::clock;
pub use provider::{Provider, ProviderBuilder};
pub use request::TokenRequest;
pub use source::{TokenSource, TokenSourceBuilder};
pub use token::{IssuedToken, RefreshToken, TokenKind, TokenResponse};
