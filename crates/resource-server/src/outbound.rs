//! What a client of identity providers shares with the resource server: the bounded way out, the
//! ways of proving who asks, the reading of metadata, and the keys of an issuer, kept fresh.
//!
//! It is for `portcullis-client`; a resource server has no need of it. Everything here follows the
//! rules of the resource server: https except on loopback, no redirects, the environment's proxy
//! for outside hosts, answers bounded in size and time, inside addresses only where the operator
//! wrote them. No HTTP client shows in a signature.

pub use crate::address::{fetchable, parse as parse_url};
pub use crate::client_auth::{Assertion, AssertionFile, ClientAuth, Proof, Secret};
pub use crate::fetch::{
    Answered, Authorization, Body, Fetch, FetchFault, OwnCertificate, Proxies, Question, Reach,
    Trust, leads_outside,
};
pub use crate::key_cache::budget::Budget;
pub use crate::metadata::{discover, endpoint, well_known};

use crate::clock::Clock;
use crate::key_cache::meters::KeyMeters;
use crate::key_cache::{KeyCache, KeyFault, KeySettings};
use crate::keys::KeySource;
use portcullis_core::Outage;
use portcullis_core::jose::{CompactJws, VerifyingKey};
use portcullis_core::token::Issuer;
use std::fmt;
use std::sync::Arc;

/// The keys of one issuer: fetched when the first one is needed, and kept fresh from then on.
#[derive(Clone)]
pub struct IssuerKeys(Arc<KeyCache>);

/// Why a signature proves nothing.
#[derive(Debug)]
pub enum Unproven {
    /// It is none of the issuer's.
    Forged(&'static str),
    /// The keys cannot be had: nobody can tell.
    Outage(Outage),
}

impl IssuerKeys {
    /// The keys of this issuer. Nothing is fetched yet.
    pub fn new(issuer: Issuer, source: KeySource, fetch: Fetch, clock: Arc<dyn Clock>) -> Self {
        let meters = KeyMeters::new(issuer.as_str());
        Self(KeyCache::new(
            issuer,
            source,
            KeySettings::default(),
            fetch,
            clock,
            meters,
        ))
    }

    /// Proves that the issuer signed this, and says by which key. It says nothing about the
    /// payload.
    ///
    /// # Errors
    ///
    /// A signature that is not the issuer's, and keys that cannot be had.
    pub async fn prove(&self, jws: &CompactJws<'_>) -> Result<VerifyingKey, Unproven> {
        let signer = self.0.signer(jws).await.map_err(|fault| match fault {
            KeyFault::Outage(outage) => Unproven::Outage(outage),
            KeyFault::UnknownKey => {
                Unproven::Forged("it is by a key that the issuer does not publish")
            }
            KeyFault::WrongAlgorithm => Unproven::Forged("its key is for other algorithms"),
        })?;
        signer.ok_or(Unproven::Forged("its signature is wrong"))
    }
}

impl fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the keys of {}", self.0.issuer())
    }
}
