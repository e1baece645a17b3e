//! The store: a stream in a Redis or Valkey, as an ordered log that replicas read whole and then
//! follow.
//!
//! A log, because a replica that was away misses nothing (unlike with published messages), and
//! because its order says at once how far a replica is. Each entry stands on its own and joins with
//! what is known, so it does no harm to read one twice, or to write one twice. See
//! `docs/decisions/0010-revocation-store.md`.

mod follow;
mod log;
mod record;

pub(super) use follow::Follower;
#[cfg(feature = "fuzzing")]
pub(crate) use record::rewritten;

use super::settings::{STREAM, StoreUrl};
use super::{Denylist, Revocation};
use log::Log;
use portcullis_core::token::NumericDate;
use portcullis_core::{ConfigError, Outage, OutageCode};
use std::fmt;
use std::time::Duration;

/// A revocation store, to write to and to read from without following it.
pub struct RevocationStore(Log);

impl RevocationStore {
    /// A store at this URL, in the stream of this key (default `portcullis:revocations`). Connects
    /// when it is used.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, without showing it.
    pub fn new(url: &StoreUrl, stream: Option<&str>) -> Result<Self, ConfigError> {
        let cure = "write a URL such as `rediss://redis.example:6380`";
        let fault = |problem: &str| ConfigError::wrong("the store", problem).help(cure);
        if let Some(problem) = url.fault() {
            return Err(fault(problem));
        }
        let log = Log::open(url, stream.unwrap_or(STREAM))
            .map_err(|_| fault("it is no URL of a Redis"))?;
        Ok(Self(log))
    }

    /// Writes a revocation: replicas refuse what it names as soon as the store tells them.
    ///
    /// # Errors
    ///
    /// The store cannot be reached, or did not take it.
    pub async fn publish(&self, revocation: &Revocation, now: NumericDate) -> Result<(), Outage> {
        let written = async {
            let mut writer = self.0.connect().await?;
            writer.append(std::slice::from_ref(revocation)).await?;
            writer.clean(now).await
        };
        Ok(written.await?)
    }

    /// What is revoked, the oldest first, at most so many; each mark once, and nothing whose time
    /// is over.
    ///
    /// # Errors
    ///
    /// The store cannot be reached.
    pub async fn list(&self, most: usize, now: NumericDate) -> Result<Vec<Revocation>, Outage> {
        let (mut reader, list) = (self.0.connect().await?, Denylist::new(most));
        let (mut place, mut order) = (log::START.to_owned(), Vec::new());
        loop {
            let batch = reader.after(&place, None).await?;
            let Some(last) = batch.last() else { break };
            place.clone_from(&last.id);
            for revocation in batch
                .iter()
                .filter_map(|entry| entry.revocation.as_ref().ok())
            {
                let known = list.len();
                if revocation.until() >= now
                    && list.add(*revocation, now).is_ok()
                    && list.len() > known
                {
                    order.push(revocation.mark);
                }
            }
        }
        Ok(order.iter().filter_map(|mark| list.find(mark)).collect())
    }
}

impl fmt::Debug for RevocationStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why the store could not be read or written. It holds nothing of the URL.
#[derive(Clone, Debug)]
struct Fault(String);

impl From<Fault> for Outage {
    fn from(Fault(reason): Fault) -> Self {
        Self::new(
            OutageCode::Revocation,
            format!("the revocation store: {reason}"),
            Duration::from_secs(1),
        )
    }
}

impl From<super::Full> for Fault {
    fn from(full: super::Full) -> Self {
        Self(Outage::from(full).facts().to_owned())
    }
}
