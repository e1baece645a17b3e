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
//! let token = source.token().await?; // cached, renewed in time, one fetch for all callers
//! # let _ = token.authorization();
//! # Ok(())
//! # }
//! ```
//!
//! Requests are bounded in time and size, follow no redirect, and go to https only, except on
//! loopback. Responses are read strictly: another issuer, another type of token or a repeated
//! member is an error. Tokens, secrets and keys are wiped on drop, except for copies in the TLS and
//! JSON layers. Nothing prints them; `expose` is the only way to their text.
//!
//! People sign in by [`Client::authorization_code`] with a [`LoopbackRedirect`], or by
//! [`Client::device`] on a machine without a browser. Both return a [`TokenResponse`].
//!
//! The crate needs a Tokio runtime. Its API shows no HTTP client.

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
