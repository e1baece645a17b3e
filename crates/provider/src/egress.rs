//! What it takes to ask an identity provider: the way out, the bounds on what comes back, and the
//! clock.

use crate::clock::Clock;
use crate::fetch::{Fetch, Trust};
use portcullis_core::Limits;
use std::sync::Arc;

/// The way out to one issuer, with its bounds and its clock. Clones share connections.
#[derive(Clone, Debug)]
pub struct Egress {
    /// The HTTP client.
    pub fetch: Fetch,
    /// The bounds on what the issuer can make us read.
    pub limits: Limits,
    /// The clock by which answers grow old.
    pub clock: Arc<dyn Clock>,
}

impl Egress {
    /// The same for endpoints that are asked in a client's name: with the certificates of `trust`,
    /// and with concurrency limits of its own.
    #[must_use]
    pub fn for_endpoints(&self, trust: &Trust) -> Self {
        Self {
            fetch: self.fetch.for_endpoints(trust),
            ..self.clone()
        }
    }
}
