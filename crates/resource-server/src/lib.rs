//! The live decision: trusted issuers, discovery, the key cache and the verified-token cache.
//!
//! [`ResourceServer::decide`] is the straight line of one request; every step of it is one file
//! away, here or in `portcullis-core`, which holds all the checks. This crate adds everything that
//! waits: it fetches the issuers' metadata and keys ahead of time, survives rotation and outage,
//! and bounds the fetches that invalid tokens can trigger.
//!
//! ```no_run
//! # async fn example(headers: http::HeaderMap) -> Result<(), portcullis_core::ConfigErrors> {
//! use portcullis_core::{Decision, Requirement};
//! use portcullis_resource_server::ResourceServer;
//!
//! let server = ResourceServer::new("https://idp.example", "https://api.example")?;
//! match server.decide(&headers, None, &Requirement::scope("orders:read")).await {
//!     Decision::Allow(permit) => println!("go on, {}", permit.token().name()),
//!     Decision::Deny(rejection) => println!("{}", rejection.code()),
//!     Decision::Fail(outage) => println!("try again in {:?}", outage.retry_after()),
//! }
//! # Ok(())
//! # }
//! ```

mod client_endpoint;
pub mod config;
pub mod events;
mod explain;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod groups;
mod guid;
mod introspection;
mod issuers;
mod load;
mod path_watch;
mod possession;
mod receiver;
mod resource_request;
mod resources;
mod respond;
mod revocation;
mod server;
mod settings;
mod signed;
mod token_digest;

pub use config::{
    ClaimCondition, ClaimScalar, ClaimText, ClientConfig, Config, EventStreamConfig, GroupsConfig,
    IntrospectionConfig, IssuerConfig, LogoutConfig, OneOrMore,
};
pub use explain::{Explanation, TokenContent, TokenForm};
pub use introspection::IntrospectionStatus;
pub use portcullis_provider::breaker::BreakerState;
pub use portcullis_provider::client_auth::Secret;
pub use portcullis_provider::clock;
pub use portcullis_provider::failure_log::{FailureLog, FailureNotice, FailureToll};
pub use portcullis_provider::keys::{KeySettings, KeySource, KeyStatus};
pub use portcullis_provider::metadata::{DiscoveryError, Metadata};
pub use possession::DpopConfig;
#[cfg(feature = "redis")]
pub use receiver::ExpectedVerification;
pub use receiver::{EventEffect, EventOutcome, EventReport, ReceiverOutline};
pub use resource_request::ResourceRequest;
pub use resources::{
    KnownAudiences, ProtectedResource, ProtectedResources, ResourceConfig, ResourceDocuments,
    ResourceTraits, WELL_KNOWN,
};
pub use respond::{DenialResponse, request_id};
#[cfg(feature = "redis")]
pub use revocation::RevocationStore;
pub use revocation::{
    LONGEST_UNVERIFIED_SECONDS, REMEMBERED_SECONDS, Revocation, RevocationConfig, RevocationSource,
    RevocationStatus, RevokedKind, StoreStatus, StoreUrl,
};
pub use server::{
    MissingPart, ReceiverAnswer, ReceiverRequest, ResourceServer, ServerStatus, ServiceTrial,
    TokenEnd, TokenWatch, TrialResult,
};
pub use settings::{IssuerOutline, OutboundRequest, SecurityProfile, Settings};
