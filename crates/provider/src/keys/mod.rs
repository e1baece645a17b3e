//! The keys of one issuer: fetched ahead of time, found without waiting, kept through an outage.
//!
//! Ten protections:
//!
//! - the keys are refreshed in the background before they expire;
//! - an unknown `kid` leads to one fetch within the request;
//! - so does a signature that fails under a known `kid`, whose key may be another one by now;
//! - there is one fetch at a time;
//! - a budget bounds the fetches that unknown keys force;
//! - unknown `kid`s are remembered;
//! - the last good keys are used through an outage;
//! - `ETag` and `Cache-Control` are honoured;
//! - a bad key or an empty set never replaces good keys;
//! - an optional snapshot serves a start while the issuer is down.
//!
//! A request waits only if its key is truly unknown, and then not for long. Without keys the answer
//! is an outage, never "unknown key".

pub mod budget;
mod doubt;
mod failure;
pub mod file;
mod flight;
mod key_set;
mod known_metadata;
pub mod meters;
mod refresh;
mod settings;
mod snapshot;
mod source;
mod start;
mod status;
#[cfg(test)]
mod tests;
mod unknown;

pub use key_set::KeySet;
pub use settings::KeySettings;
pub use source::KeySource;
pub use status::KeyStatus;

use crate::clock::{Clock, wait_within};
use crate::egress::Egress;
use crate::failure_log::FailureLog;
use crate::fetch::Reach;
use crate::metadata::Metadata;
use arc_swap::ArcSwapOption;
use budget::Budget;
use failure::RefreshFailure;
use flight::{Flight, Flights};
use known_metadata::KnownMetadata;
use meters::KeyMeters;
use portcullis_core::jose::{Algorithm, Selection, VerifyingKey};
use portcullis_core::token::Issuer;
use portcullis_core::{Outage, OutageCode};
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use unknown::UnknownKids;

/// The keys of one issuer.
pub struct KeyCache {
    issuer: Issuer,
    source: KeySource,
    settings: KeySettings,
    egress: Egress,
    /// Swapped as a whole: a decision reads it without a lock.
    sets: ArcSwapOption<KeySet>,
    /// Never held across a wait.
    schedule: Mutex<Schedule>,
    unknown: Mutex<UnknownKids>,
    flights: Flights,
    started: AtomicBool,
    /// Wakes the background task when a fetch fails: the next one is due sooner.
    failed: Arc<Notify>,
    meters: KeyMeters,
    log: FailureLog,
}

/// When the next fetch is due, and how the last ones ended.
#[derive(Debug)]
struct Schedule {
    due: Duration,
    failures: u32,
    last_failure: Option<RefreshFailure>,
    last_good: Option<Duration>,
    fetches: u64,
    budget: Budget,
    /// Until then a failing signature is no reason to fetch: the issuer was asked, and its keys are
    /// the same.
    settled_until: Duration,
    /// The file with the keys, as it was last read.
    file: Option<Vec<u8>>,
    metadata: Option<KnownMetadata>,
}

/// The keys that could have signed a token.
#[derive(Debug)]
pub struct FoundKeys {
    /// The keys that may have made its signature.
    pub keys: Vec<VerifyingKey>,
    /// Whether they were fetched for this very request, so that no fetch would bring others.
    pub fetched: bool,
}

/// Why there is no key for a token.
#[derive(Debug)]
pub enum KeyFault {
    /// The issuer publishes no such key, as far as is known.
    UnknownKey {
        /// When the issuer may be asked for it, if unknown keys forced too many fetches lately.
        unasked_for: Option<Duration>,
    },
    /// The issuer publishes the key for other algorithms.
    WrongAlgorithm,
    /// The issuer could not be asked, so nobody can tell.
    Outage(Outage),
}

impl KeyCache {
    /// The keys of this issuer. Nothing is fetched before [`start`](Self::start), or a token that
    /// needs one.
    pub fn new(
        issuer: Issuer,
        source: KeySource,
        settings: KeySettings,
        egress: Egress,
        meters: KeyMeters,
    ) -> Arc<Self> {
        let schedule = Schedule {
            due: egress.clock.elapsed(),
            failures: 0,
            last_failure: None,
            last_good: None,
            fetches: 0,
            budget: Budget::new(settings.forced_fetches, settings.forced_fetch_every),
            settled_until: Duration::ZERO,
            file: None,
            metadata: None,
        };
        let unknown = UnknownKids::new(settings.unknown_kids, settings.unknown_for);
        let cache = Self {
            issuer,
            source,
            settings,
            egress,
            sets: ArcSwapOption::empty(),
            schedule: Mutex::new(schedule),
            unknown: Mutex::new(unknown),
            flights: Flights::default(),
            started: AtomicBool::new(false),
            failed: Arc::default(),
            meters,
            log: FailureLog::new(),
        };
        cache.prepare();
        Arc::new(cache)
    }

    /// The issuer, or the template, whose keys these are.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The keys that could have signed a token: at once, if they are here.
    ///
    /// # Errors
    ///
    /// An unknown key, a key for other algorithms, or the outage that leaves it open.
    pub async fn key(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<FoundKeys, KeyFault> {
        match self.select(kid, algorithm) {
            Some(Selection::Keys(keys)) => Ok(FoundKeys {
                keys,
                fetched: false,
            }),
            Some(Selection::WrongAlgorithm) => Err(KeyFault::WrongAlgorithm),
            Some(Selection::Unknown) | None => self.awaited_key(kid, algorithm).await,
        }
    }

    /// The issuer's metadata: at once, if it is here, however old; the background fetches it again.
    ///
    /// # Errors
    ///
    /// The outage, where there was never any metadata.
    pub async fn metadata(self: &Arc<Self>) -> Result<(Metadata, Reach), Outage> {
        self.start();
        if let Some(known) = self.known_metadata() {
            return Ok(known);
        }
        // By the schedule, so that many callers do not ask a server that is down again and again.
        let is_due = |cache: &Self| cache.refresh_due() <= cache.clock().elapsed();
        if let Some(flight) = self.join_or_fetch(is_due) {
            let patience = self.clock().sleep(self.settings.patience);
            // Whichever ends first, what is known then counts.
            _ = wait_within(self.flights.landing(flight.number), patience).await;
        }
        match self.known_metadata() {
            Some(known) => Ok(known),
            None => Err(self.outage(OutageCode::Metadata, "there is no metadata")),
        }
    }

    /// The set in force; none before the first, and after the last grew too old.
    pub fn current(&self) -> Option<Arc<KeySet>> {
        let set = self.sets.load_full()?;
        (self.clock().elapsed() < set.good_until).then_some(set)
    }

    /// Joins the fetch under way, or begins one if `may_start` says so.
    fn join_or_fetch(self: &Arc<Self>, may_start: impl FnOnce(&Self) -> bool) -> Option<Flight> {
        let cache = Arc::clone(self);
        let fetch = async move {
            // Its outcome is in the schedule; here it only matters that it is over.
            _ = cache.fetch_once().await;
        };
        self.flights.join_or_start(|| may_start(self), fetch)
    }

    /// Fetches now, or joins the fetch that is under way.
    pub async fn refresh(self: &Arc<Self>) {
        if let Some(flight) = self.join_or_fetch(|_| true) {
            self.flights.landing(flight.number).await;
        }
    }

    /// The state of the keys at this moment.
    pub fn status(&self) -> KeyStatus {
        let (schedule, now) = (self.schedule(), self.clock().elapsed());
        let good_for = match (&self.source, &*self.sets.load()) {
            (KeySource::Fixed(_), _) => None,
            (_, Some(set)) => Some(set.good_until.saturating_sub(now)),
            (_, None) => Some(Duration::ZERO),
        };
        let last_failure = schedule.last_failure.as_ref();
        KeyStatus {
            keys: self.current().map_or(0, |set| set.jwks.keys().len()),
            age: schedule.last_good.map(|good| now.saturating_sub(good)),
            good_for,
            fetches: schedule.fetches,
            failures: schedule.failures,
            last_failure: last_failure.map(|failure| failure.reason.clone()),
        }
    }

    fn select(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Selection> {
        Some(self.current()?.jwks.select(kid, algorithm))
    }

    /// The keys after a fetch, and after a second one if the first began before the token came.
    async fn awaited_key(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<FoundKeys, KeyFault> {
        // One patience for both fetches: the caller waits for the sum.
        let mut patience = self.clock().sleep(self.settings.patience);
        let (mut asked, mut fetched, mut is_late) = (false, false, false);
        for _ in 0..2 {
            let may_start = |cache: &Self| cache.may_fetch_for(kid);
            let Some(flight) = self.join_or_fetch(may_start) else {
                break;
            };
            let landing = self.flights.landing(flight.number);
            is_late = wait_within(landing, &mut patience).await.is_none();
            let is_unknown = matches!(self.select(kid, algorithm), Some(Selection::Unknown));
            // Its answer may be older than the token: the issuer is asked once more.
            if is_unknown && flight.joined && !is_late {
                continue;
            }
            asked = !is_late;
            fetched = asked && !flight.joined;
            break;
        }
        // Looked up again: another request may have fetched the key since this one looked.
        match self.select(kid, algorithm) {
            Some(Selection::Keys(keys)) => Ok(FoundKeys { keys, fetched }),
            Some(Selection::WrongAlgorithm) => Err(KeyFault::WrongAlgorithm),
            _ if is_late => Err(self.key_outage("the keys did not come in time")),
            _ => Err(self.fault_for(kid, asked)),
        }
    }

    /// Whether a token with this `kid` is reason enough to fetch.
    fn may_fetch_for(&self, kid: Option<&str>) -> bool {
        let now = self.clock().elapsed();
        let kid = kid.unwrap_or_default();
        // No provider has such long names: they would only fill the memory of unknown ones.
        if matches!(self.source, KeySource::Fixed(_)) || kid.len() > self.settings.longest_kid {
            return false;
        }
        let mut schedule = self.schedule();
        if self.current().is_none() {
            // Before the first set, requests go by the schedule: the background retries on its own.
            return schedule.due <= now;
        }
        !self.unknown_kids().contains(kid, now) && schedule.budget.take(now)
    }

    /// An unknown key, or an outage if the issuer could not be asked.
    ///
    /// A `kid` is remembered only if the issuer was `asked` for it. One that the budget left
    /// unasked may be a new key: remembering it would keep it out for as long as tokens with it
    /// come.
    fn fault_for(&self, kid: Option<&str>, asked: bool) -> KeyFault {
        if self.current().is_none() || self.schedule().last_failure.is_some() {
            return self.key_outage("the issuer's keys cannot be had");
        }
        if let Some(kid) = kid
            && asked
        {
            self.unknown_kids().insert(kid, self.clock().elapsed());
        }
        self.meters.unknown.increment(1);
        let unasked_for = if asked {
            None
        } else {
            self.next_forced_fetch()
        };
        KeyFault::UnknownKey { unasked_for }
    }

    /// How long no token can force a fetch; none where one can at once.
    fn next_forced_fetch(&self) -> Option<Duration> {
        let wait = self.schedule().budget.wait(self.clock().elapsed());
        (!wait.is_zero() && !matches!(self.source, KeySource::Fixed(_))).then_some(wait)
    }

    fn key_outage(&self, what: &str) -> KeyFault {
        KeyFault::Outage(self.outage(OutageCode::Keys, what))
    }

    /// An outage with the last failure, if there was one: its code counts then.
    fn outage(&self, code: OutageCode, what: &str) -> Outage {
        // Asked first: whoever begins a fetch takes these two locks in this order.
        let is_under_way = self.flights.is_under_way();
        let now = self.clock().elapsed();
        let mut schedule = self.schedule();
        let failure = schedule.last_failure.as_ref();
        let code = failure.map_or(code, |failure| failure.code);
        let reason = failure.map_or("no answer yet", |failure| failure.reason.as_str());
        let facts = format!("{what}: {reason}");
        let cure = failure.and_then(|failure| failure.cure);
        let retry_after = if is_under_way {
            // It may land at any moment.
            self.settings.retry.0
        } else {
            // Retrying before the next fetch is due would change nothing.
            let mut wait = schedule.due.saturating_sub(now);
            // A token with an unknown key makes a fetch due earlier, as far as the budget goes.
            if self.current().is_some() {
                wait = wait.min(schedule.budget.wait(now));
            }
            wait.min(self.settings.retry.1)
        };
        // Logged without the lock: a slow subscriber must not hold up other requests.
        drop(schedule);
        // Tokens decide how often this happens, so the log of failures decides what is logged.
        self.log_notice(self.log.deny(now), "no keys: requests get 503", &facts);
        Outage::new(code, facts, retry_after)
            .with_cure(cure)
            .mark_logged()
    }

    fn clock(&self) -> &dyn Clock {
        &*self.egress.clock
    }

    fn refresh_due(&self) -> Duration {
        self.schedule().due
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn unknown_kids(&self) -> MutexGuard<'_, UnknownKids> {
        self.unknown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the keys of {}", self.issuer)
    }
}
