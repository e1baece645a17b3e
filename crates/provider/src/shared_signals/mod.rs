//! A transmitter of security events, and how it is asked (OpenID Shared Signals Framework 1.0,
//! sections 7 and 8; RFC 8936).
//!
//! [`Transmitter::discover`] reads its metadata, [`StreamManagement`] creates, reads, changes and
//! verifies streams, and [`PollRequest`] fetches the events of one. Refuses: metadata and streams
//! of another issuer, addresses that are not https (http on loopback), addresses inside a network
//! where the transmitter is outside, documents that are no strict JSON or too large, and members of
//! another type. No event is verified here, and where a token for a transmitter comes from is up
//! to the caller.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use portcullis_core::{Limits, token::Issuer};
//! use portcullis_provider::client_auth::Secret;
//! use portcullis_provider::clock::SystemClock;
//! use portcullis_provider::egress::Egress;
//! use portcullis_provider::fetch::{Authorization, Fetch};
//! use portcullis_provider::shared_signals::{
//!     DeliveryRequest, StreamRequest, Transmitter, TransmitterSource,
//! };
//! use std::sync::Arc;
//!
//! let limits = Limits::default();
//! let egress = Egress {
//!     fetch: Fetch::new(limits.document_bytes),
//!     limits,
//!     clock: Arc::new(SystemClock::new()),
//! };
//! let issuer = Issuer::parse("https://transmitter.example")?;
//! let found = Transmitter::discover(issuer, &TransmitterSource::Discovered, egress).await?;
//! let authorization = Authorization::Bearer(Secret::new("a token with the scope ssf.manage"));
//! let request = StreamRequest {
//!     delivery: Some(DeliveryRequest::Poll),
//!     ..StreamRequest::default()
//! };
//! let stream = found.manage(&authorization).create(&request).await?;
//! println!("{} is for {}", stream.id, stream.audience.join(", "));
//! # Ok(())
//! # }
//! ```

mod deviation;
mod fault;
mod management;
mod metadata;
mod poll;
mod request;
mod status;
mod stream;
mod stream_request;
mod transmitter;

pub use deviation::StreamDeviation;
pub use fault::{TransmitterFault, TransmitterFaultKind};
pub use management::{StreamManagement, verification_state};
pub use metadata::{
    DEFAULT_READ_SCOPE, DEFAULT_SCOPE, DefaultSubjects, TransmitterEndpoint, TransmitterMetadata,
    well_known,
};
pub use poll::{PollRequest, PollResponse, SetError};
pub use status::{StreamState, StreamStatus};
pub use stream::{DeliveryMethod, StreamConfiguration, StreamDelivery};
pub use stream_request::{DeliveryRequest, StreamRequest};
pub use transmitter::{Transmitter, TransmitterSource};

#[cfg(test)]
mod tests;
