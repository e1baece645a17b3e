//! The keys of one issuer for a client of it: kept fresh, and asked whether they made a signature.
//!
//! ```no_run
//! # async fn example(jws: &portcullis_core::jose::CompactJws<'_>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use portcullis_core::{Limits, token::Issuer};
//! use portcullis_provider::clock::SystemClock;
//! use portcullis_provider::issuer_keys::{IssuerKeys, SignatureFault};
//! use portcullis_provider::{egress::Egress, fetch::Fetch, keys::KeySource};
//! use std::sync::Arc;
//!
//! let limits = Limits::default();
//! let egress = Egress {
//!     fetch: Fetch::new(limits.document_bytes),
//!     limits,
//!     clock: Arc::new(SystemClock::new()),
//! };
//! let issuer = Issuer::parse("https://idp.example")?;
//! let keys = IssuerKeys::new(issuer, KeySource::Discovered, egress);
//! match keys.prove(jws).await {
//!     Ok(key) => println!("signed by {:?}", key.kid()),
//!     Err(SignatureFault::Forged(reason)) => println!("{reason}"),
//!     Err(SignatureFault::Outage(outage)) => println!("{}", outage.facts()),
//! }
//! # Ok(())
//! # }
//! ```

use crate::egress::Egress;
use crate::keys::meters::KeyMeters;
use crate::keys::{KeyCache, KeyFault, KeySettings, KeySource};
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
    /// The issuer did not make it.
    Forged(&'static str),
    /// The keys cannot be had, so nobody can tell.
    Outage(Outage),
}

impl IssuerKeys {
    /// The keys of this issuer. Nothing is fetched yet.
    pub fn new(issuer: Issuer, source: KeySource, egress: Egress) -> Self {
        let meters = KeyMeters::new(issuer.as_str());
        let settings = KeySettings::default();
        Self(KeyCache::new(issuer, source, settings, egress, meters))
    }

    /// Proves that the issuer signed this, and says with which key. It says nothing about the
    /// payload.
    ///
    /// # Errors
    ///
    /// A signature that the issuer did not make; keys that cannot be had.
    pub async fn prove(&self, jws: &CompactJws<'_>) -> Result<VerifyingKey, SignatureFault> {
        match self.0.signer(jws).await {
            Ok(Some(key)) => Ok(key),
            Ok(None) => Err(SignatureFault::Forged("its signature is wrong")),
            Err(KeyFault::UnknownKey { .. }) => {
                let reason = "it is by a key that the issuer does not publish";
                Err(SignatureFault::Forged(reason))
            }
            // A key for one algorithm must not verify another: that is how a public RSA key came to
            // be used as an HMAC secret.
            Err(KeyFault::WrongAlgorithm) => {
                Err(SignatureFault::Forged("its key is for other algorithms"))
            }
            Err(KeyFault::Outage(outage)) => Err(SignatureFault::Outage(outage)),
        }
    }
}

impl fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the keys of {}", self.0.issuer())
    }
}
