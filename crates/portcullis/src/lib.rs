//! Protect axum and tower services with OAuth 2.0 access tokens from any identity provider.
//!
//! A handler's signature says who may call it:
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use portcullis::{AuthorizedCaller, ResourceServer, requirement};
//!
//! requirement!(pub Admin = role("Admin"));
//!
//! async fn public_data() -> &'static str { "anyone may read this" }
//! async fn protected_data(user: AuthorizedCaller) -> String { format!("Hello, {}!", user.name()) }
//! async fn admin_dashboard(_: AuthorizedCaller<Admin>) -> &'static str { "welcome, admin" }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = ResourceServer::from_env()?; // OAUTH2_ISSUER, OAUTH2_AUDIENCE, .env
//!     let app = Router::new()
//!         .route("/public-data", get(public_data))
//!         .route("/protected-data", get(protected_data))
//!         .route("/admin-dashboard", get(admin_dashboard))
//!         .with_state(server);
//!     axum::serve(tokio::net::TcpListener::bind("127.0.0.1:8000").await?, app).await?;
//!     Ok(())
//! }
//! ```
//!
//! - [`AuthorizedCaller`] is a handler's proof that the caller was verified and meets a
//!   requirement. It verifies by itself when no layer ran, so a forgotten layer is never an open
//!   door. `Option<AuthorizedCaller>` is `None` only for a request without any credential; a bad
//!   token is refused there too.
//! - [`ProtectLayer`] protects any tower service as a whole.
//! - [`requirement!`] names a demand: scopes, roles, groups, a user or an application, claims,
//!   `any`, `all`, `not`.
//!
//! It checks the signature against the issuer's published keys, the issuer and the audience
//! byte for byte, expiry, not-before, issued-at and a cap on the lifetime, the type of the token,
//! required claims, and that an ID token is not taken for an access token. Refusals are 400, 401
//! and 403 with the challenge of RFC 6750 and a problem document (RFC 9457). While keys cannot be
//! fetched, the answer is 503, never 401.
//!
//! [`ResourceServer::revoke`] revokes a token, a session, a subject or a client before its tokens
//! expire; with the feature `redis`, in every replica as soon as the store reports it.
//!
//! # WebSockets and streams
//!
//! A handler decides once, when a response begins. A stream that goes on must end with the token
//! that opened it: [`ResourceServer::wait_for_end`] waits for that, and a revocation ends the wait
//! within half a second after this server hears of it.
//!
//! ```no_run
//! use axum::extract::State;
//! use axum::response::sse::{Event, Sse};
//! use futures_util::{Stream, StreamExt as _};
//! use portcullis::{AuthorizedCaller, ResourceServer};
//! use std::convert::Infallible;
//!
//! # fn orders_of(_: &str) -> impl Stream<Item = String> + use<> { futures_util::stream::empty() }
//! async fn events(
//!     State(server): State<ResourceServer>,
//!     caller: AuthorizedCaller,
//! ) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
//!     let orders = orders_of(caller.name()).map(|order| Ok(Event::default().data(order)));
//!     let token = caller.into_token();
//!     Sse::new(orders.take_until(async move { server.wait_for_end(&token).await }))
//! }
//! ```
//!
//! A client of server-sent events connects again after that, and is refused. A WebSocket says why
//! it ends: 1008 with [`TokenEnd::phrase`], or 1013 where
//! [`may_come_back`](TokenEnd::may_come_back) is true. Race the wait with the messages, in
//! `tokio::select!`.
//!
//! # Bound tokens
//!
//! A token that is bound to a key works with its proof (DPoP, RFC 9449) where `public_origin` is
//! set, and one that is bound to a certificate (RFC 8705) where the application leaves a
//! [`Thumbprint`] in the request's extensions. Neither works as a plain bearer token.
//!
//! # Tests without an identity provider
//!
//! The crate `portcullis-idp` is a development dependency that runs an identity provider inside a
//! test, and hands out signed tokens, good ones and deliberately bad ones.
//!
//! # Features
//!
//! - `axum` (on by default): the extractor for axum 0.8. It adds items and changes no check.
//! - `openapi`: an OpenAPI document that the handlers write themselves: see the module
//!   `openapi`. With `swagger-ui` there is a page for it.
//! - `validate`: the extractor `Valid` for axum 0.8: bodies and parameters that are read strictly
//!   and checked by the rules of their type (garde), with all faults at once, as FastAPI has them.
//! - `redis`: revocations that replicas share in a Redis or Valkey. Without it, a store in the
//!   settings is refused.

mod decide;
mod denial_response;
#[cfg(feature = "axum")]
mod extract;
mod layer;
#[cfg(feature = "openapi")]
pub mod openapi;
#[cfg(feature = "axum")]
mod receivers;
pub mod requirement;
#[cfg(feature = "axum")]
mod resource_metadata;
#[cfg(any(feature = "openapi", feature = "validate"))]
mod schema;
#[cfg(feature = "validate")]
mod valid;

pub use denial_response::DenialResponse;
#[cfg(feature = "axum")]
pub use extract::AuthorizedCaller;
pub use layer::{Protect, ProtectLayer};
pub use portcullis_core::jose::json::Json as ClaimValue;
pub use portcullis_core::proof::Thumbprint;
pub use portcullis_core::token::{
    AccessToken, ClaimPath, Claims, Identity, Kind, Membership, Scopes,
};
pub use portcullis_core::{
    Code, ConfigErrors, Decision, Denial, Outage, Permit, Rejection, Requirement, Rule, Ruling,
};
pub use portcullis_resource_server::{
    Config, EventOutcome, EventReport, EventStreamConfig, GroupsConfig, IntrospectionConfig,
    IssuerConfig, LogoutConfig, ResourceServer, Revocation, RevocationConfig, RevocationSource,
    RevocationStatus, RevokedKind, Secret, Settings, StoreStatus, StoreUrl, TokenEnd, TokenWatch,
};
#[cfg(feature = "axum")]
pub use receivers::Receivers;
pub use requirement::{Requires, ValidToken};
#[cfg(feature = "axum")]
pub use resource_metadata::ResourceMetadata;
#[cfg(feature = "validate")]
pub use valid::{InvalidRequest, PlaceSegment, RequestFault, Valid, ValidInput};
