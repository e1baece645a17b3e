//! A signature that fails under a published key: the issuer may publish another key under that name
//! by now.
//!
//! A provider that restarts with fixed names for its keys does so. One fetch tells, out of the same
//! budget as the fetches for unknown keys, so forged tokens cost no more than made-up `kid`s. A
//! fetch that finds the same keys settles it for a few seconds. Refuses nothing by itself: the
//! caller tries the signature once more.

use super::KeySource;
use super::{FoundKeys, KeyCache, KeyFault};
use portcullis_core::jose::{CompactJws, Header, Selection, VerifyingKey, signature};
use portcullis_core::{Outage, OutageCode};
use std::sync::Arc;

impl KeyCache {
    /// The issuer's key that signed this; none where none of them did. It says nothing about the
    /// payload.
    pub async fn signer(
        self: &Arc<Self>,
        jws: &CompactJws<'_>,
    ) -> Result<Option<VerifyingKey>, KeyFault> {
        self.start();
        let header = jws.header();
        let found = self.key(header.kid.as_deref(), header.algorithm).await?;
        if let Ok(signer) = signature::check_jws(jws, &found.keys) {
            return Ok(Some(signer));
        }
        let keys = self
            .replacements(header, &found)
            .await
            .map_err(KeyFault::Outage)?;
        Ok(keys.and_then(|keys| signature::check_jws(jws, &keys).ok()))
    }

    /// Other keys than those under which a signature failed: keys that took their place meanwhile,
    /// or that a fetch brings now. None where the issuer publishes the same keys as before.
    pub async fn replacements(
        self: &Arc<Self>,
        header: &Header,
        failed: &FoundKeys,
    ) -> Result<Option<Vec<VerifyingKey>>, Outage> {
        if failed.fetched || matches!(self.source, KeySource::Fixed(_)) {
            return Ok(None);
        }
        if let Some(keys) = self.others(header, &failed.keys) {
            return Ok(Some(keys));
        }
        let mut patience = self.clock.sleep(self.settings.patience);
        for _ in 0..2 {
            let Some(flight) = self.flights.join_or_start(self, Self::may_fetch_in_doubt) else {
                break;
            };
            tokio::select! {
                () = self.flights.landing(flight.number) => {}
                () = &mut patience => return Err(self.outage(
                    OutageCode::Keys,
                    "the keys did not come in time",
                )),
            }
            if let Some(keys) = self.others(header, &failed.keys) {
                return Ok(Some(keys));
            }
            if !flight.joined {
                self.settle();
                break;
            }
        }
        // As for an unknown key: if the issuer could not be asked, nobody knows its keys.
        if self.current().is_none() || self.schedule().last_failure.is_some() {
            return Err(self.outage(OutageCode::Keys, "the issuer's keys cannot be had"));
        }
        Ok(None)
    }

    /// The keys in force for this header, if they are not the ones that were tried.
    fn others(&self, header: &Header, tried: &[VerifyingKey]) -> Option<Vec<VerifyingKey>> {
        let Some(Selection::Keys(keys)) = self.select(header.kid.as_deref(), header.algorithm)
        else {
            return None;
        };
        let was_tried = |key: &VerifyingKey| {
            tried
                .iter()
                .any(|tried| tried.fingerprint() == key.fingerprint())
        };
        (!keys.iter().all(was_tried)).then_some(keys)
    }

    /// Whether a failing signature is reason enough to fetch. The last fetch of the budget is left
    /// for unknown keys: whoever forges signatures must not keep a new key out.
    fn may_fetch_in_doubt(&self) -> bool {
        let now = self.clock.elapsed();
        let mut schedule = self.schedule();
        schedule.settled_until <= now && schedule.budget.take_spare(now)
    }

    /// Remembers that the issuer publishes the same keys as before.
    fn settle(&self) {
        let now = self.clock.elapsed();
        let mut schedule = self.schedule();
        if schedule.last_failure.is_none() {
            schedule.settled_until = now + self.settings.settled_for;
        }
    }
}
