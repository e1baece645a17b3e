//! A signature that fails under a published key: the issuer may publish another key under that name
//! by now.
//!
//! A provider that restarts with fixed names for its keys does so. One fetch tells, out of the same
//! budget as the fetches for unknown keys, so forged tokens cost no more than made-up `kid`s. A
//! fetch that finds the same keys settles it for a few seconds. Refuses nothing by itself: the
//! caller tries the signature once more.

use super::{FoundKeys, KeyCache, KeyFault, KeySource};
use crate::clock::wait_within;
use portcullis_core::jose::{Algorithm, CompactJws, Header, Selection, VerifyingKey, signature};
use portcullis_core::{Outage, OutageCode};
use std::sync::Arc;

impl KeyCache {
    /// The issuer's key that signed this; `None` if no key of the issuer did. It says nothing about
    /// the payload.
    ///
    /// # Errors
    ///
    /// An unknown key, a key for other algorithms, or the outage that leaves it open.
    pub async fn signer(
        self: &Arc<Self>,
        jws: &CompactJws<'_>,
    ) -> Result<Option<VerifyingKey>, KeyFault> {
        self.start();
        let header = jws.header();
        let found = self
            .key(header.kid.as_deref(), header.algorithm)
            .await?;
        if let Ok(signer) = signature::check_jws(jws, &found.keys) {
            return Ok(Some(signer));
        }
        match self.replacements(header, &found).await {
            Ok(Some(keys)) => Ok(signature::check_jws(jws, &keys).ok()),
            Ok(None) => Ok(None),
            Err(outage) => Err(KeyFault::Outage(outage)),
        }
    }

    /// Other keys than those under which a signature failed: keys that took their place meanwhile,
    /// or that a fetch brings now. `None` if the issuer publishes the same keys as before.
    ///
    /// # Errors
    ///
    /// The outage, where the issuer could not be asked.
    pub async fn replacements(
        self: &Arc<Self>,
        header: &Header,
        failed: &FoundKeys,
    ) -> Result<Option<Vec<VerifyingKey>>, Outage> {
        if failed.fetched || matches!(self.source, KeySource::Fixed(_)) {
            return Ok(None);
        }
        let (kid, algorithm) = (header.kid.as_deref(), header.algorithm);
        if let Some(keys) = self.others(kid, algorithm, &failed.keys) {
            return Ok(Some(keys));
        }
        self.awaited_replacements(kid, algorithm, &failed.keys)
            .await
    }

    /// Other keys than the tried ones, after a fetch, and after a second one if the first began
    /// before the token came.
    pub(super) async fn awaited_replacements(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: Algorithm,
        tried: &[VerifyingKey],
    ) -> Result<Option<Vec<VerifyingKey>>, Outage> {
        let mut patience = self.clock().sleep(self.settings.patience);
        let mut is_late = false;
        // Twice: a fetch that was under way may have begun before the issuer changed its keys.
        for _ in 0..2 {
            let Some(flight) = self.join_or_fetch(Self::may_fetch_in_doubt) else {
                break;
            };
            let landing = self.flights.landing(flight.number);
            is_late = wait_within(landing, &mut patience).await.is_none();
            if is_late || self.others(kid, algorithm, tried).is_some() {
                break;
            }
            if !flight.joined {
                self.settle();
                break;
            }
        }
        // Another request may have fetched the key since this one looked.
        if let Some(keys) = self.others(kid, algorithm, tried) {
            return Ok(Some(keys));
        }
        if is_late {
            return Err(self.outage(OutageCode::Keys, "the keys did not come in time"));
        }
        // As for an unknown key: if the issuer could not be asked, nobody knows its keys.
        if self.current().is_none() || self.schedule().last_failure.is_some() {
            return Err(self.outage(OutageCode::Keys, "the issuer's keys cannot be had"));
        }
        Ok(None)
    }

    /// The keys in force for this name, if they are not the ones that were tried.
    fn others(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        tried: &[VerifyingKey],
    ) -> Option<Vec<VerifyingKey>> {
        let Some(Selection::Keys(keys)) = self.select(kid, algorithm) else {
            return None;
        };
        for key in &keys {
            // By the key itself: a replaced key has the name of the old one.
            let same = |tried: &VerifyingKey| tried.fingerprint() == key.fingerprint();
            if !tried.iter().any(same) {
                return Some(keys);
            }
        }
        None
    }

    /// Whether a failing signature is reason enough to fetch. The last fetch of the budget is
    /// reserved for unknown keys: forged signatures must not keep a new key out.
    fn may_fetch_in_doubt(&self) -> bool {
        let now = self.clock().elapsed();
        let mut schedule = self.schedule();
        schedule.settled_until <= now && schedule.budget.take_spare(now)
    }

    /// Remembers that the issuer publishes the same keys as before.
    fn settle(&self) {
        let now = self.clock().elapsed();
        let mut schedule = self.schedule();
        // A fetch that failed settles nothing: the keys may be others all the same.
        if schedule.last_failure.is_none() {
            schedule.settled_until = now + self.settings.settled_for;
        }
    }
}
