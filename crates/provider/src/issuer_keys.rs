//! The keys of one issuer for a client of it: kept fresh, and asked whether they made a signature.

use crate::clock::Clock;
use crate::fetch::Fetch;
use crate::keys::KeySource;
use crate::keys::meters::KeyMeters;
use crate::keys::{KeyCache, KeyFault, KeySettings};
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
pub enum SignatureFault {
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
    pub async fn prove(&self, jws: &CompactJws<'_>) -> Result<VerifyingKey, SignatureFault> {
        let signer = self.0.signer(jws).await.map_err(|fault| match fault {
            KeyFault::Outage(outage) => SignatureFault::Outage(outage),
            KeyFault::UnknownKey => {
                SignatureFault::Forged("it is by a key that the issuer does not publish")
            }
            KeyFault::WrongAlgorithm => SignatureFault::Forged("its key is for other algorithms"),
        })?;
        signer.ok_or(SignatureFault::Forged("its signature is wrong"))
    }
}

impl fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the keys of {}", self.0.issuer())
    }
}
