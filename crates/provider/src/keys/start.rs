//! The keys that are in force at the start: fixed ones, or those of a snapshot.

use super::key_set::KeySet;
use super::{KeyCache, KeySource, snapshot};
use portcullis_core::token::NumericDate;
use std::sync::Arc;
use std::time::Duration;

impl KeyCache {
    /// Puts fixed keys or a snapshot in force.
    pub(super) fn prepare(&self) {
        if let KeySource::Fixed(jwks) = &self.source {
            self.sets.store(Some(Arc::new(KeySet {
                jwks: jwks.clone(),
                good_until: Duration::MAX,
                etag: None,
            })));
            return;
        }
        let Some(path) = &self.settings.snapshot else {
            return;
        };
        match snapshot::read(path, &self.issuer, &self.egress.limits) {
            Ok(snapshot) => self.restore(snapshot),
            // No reason not to start: the issuer may be up.
            Err(reason) => tracing::warn!(
                issuer = %self.issuer,
                path = %path.display(),
                reason,
                "no saved keys",
            ),
        }
    }

    fn restore(&self, snapshot: snapshot::Snapshot) {
        // Saved keys live no longer than fetched ones: a restart must not prolong a revoked key.
        let Some(left) = self.life_left(snapshot.fetched) else {
            tracing::warn!(
                issuer = %self.issuer,
                "the saved keys are too old, or from the future",
            );
            return;
        };
        self.sets.store(Some(Arc::new(KeySet {
            jwks: snapshot.jwks,
            good_until: self.clock().elapsed() + left,
            etag: None,
        })));
    }

    /// How much longer keys are used that were fetched then; `None` if their time is over, or that
    /// moment is yet to come.
    fn life_left(&self, fetched: NumericDate) -> Option<Duration> {
        let age = u64::try_from(self.clock().now().since(fetched)).ok()?;
        self.settings
            .outlive
            .checked_sub(Duration::from_secs(age))
    }
}
