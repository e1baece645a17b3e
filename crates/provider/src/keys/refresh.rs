//! Fetching the keys: once, and again before they grow old.

use super::failure::RefreshFailure;
use super::key_set::KeySet;
use super::known_metadata::KnownMetadata;
use super::{KeyCache, KeySource, file, snapshot};
use crate::failure_log::FailureNotice;
use crate::fetch::{DocumentResponse, Reach, reach_of_metadata};
use crate::metadata::Metadata;
use portcullis_core::OutageCode;
use portcullis_core::jose::Jwks;
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tracing::Instrument as _;
use url::Url;

/// Keeps the keys fresh for as long as somebody holds the cache.
async fn keep_fresh(cache: Weak<KeyCache>) {
    // A strong reference here would keep the keys of a server that is gone for ever.
    while let Some(cache_now) = cache.upgrade() {
        let (clock, due) = (Arc::clone(&cache_now.egress.clock), cache_now.refresh_due());
        let failed = Arc::clone(&cache_now.failed);
        let wait = due.saturating_sub(clock.elapsed());
        if wait.is_zero() {
            cache_now.refresh().await;
            continue;
        }
        drop(cache_now);
        // A fetch that a token forced may fail meanwhile, and then the next one is due soon.
        tokio::select! {
            () = clock.sleep(wait) => {}
            () = failed.notified() => {}
        }
    }
}

impl KeyCache {
    /// Begins to keep the keys fresh, once, if there is a runtime to do it on.
    pub fn start(self: &Arc<Self>) {
        // Called for every token: the plain load spares the cores a shared write.
        if matches!(self.source, KeySource::Fixed(_)) || self.started.load(Ordering::Relaxed) {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && !self.started.swap(true, Ordering::Relaxed)
        {
            runtime.spawn(keep_fresh(Arc::downgrade(self)));
        }
    }

    /// One fetch, with all that follows from it. Only a flight calls this: one at a time.
    pub(super) async fn fetch_once(&self) -> Result<(), RefreshFailure> {
        if let KeySource::File(path) = &self.source {
            return self.look_at(path.clone()).await;
        }
        let began = self.clock().elapsed();
        let span = tracing::debug_span!(super::meters::KEY_FETCH, issuer = %self.issuer);
        let result = self.fetch_keys().instrument(span).await;
        let now = self.clock().elapsed();
        let took = now.saturating_sub(began);
        self.meters.count_fetch(result.is_ok(), took);
        match result {
            Ok(max_age) => {
                self.note_success(now, max_age);
                Ok(())
            }
            Err(failure) => {
                self.note_failure(now, &failure);
                Err(failure)
            }
        }
    }

    fn note_success(&self, now: Duration, max_age: Option<Duration>) {
        let mut schedule = self.schedule();
        schedule.fetches += 1;
        schedule.due = now + jitter(self.settings.refresh_after(max_age));
        schedule.failures = 0;
        schedule.last_failure = None;
        schedule.last_good = Some(now);
        // A subscriber may be slow, and every request waits for this lock.
        drop(schedule);
        self.log_recovery(now);
    }

    fn log_recovery(&self, now: Duration) {
        if let Some(toll) = self.log.succeed(now) {
            tracing::info!(
                issuer = %self.issuer,
                failures = toll.failures,
                denied = toll.denied,
                "keys: reachable again after {toll}, requests answered 503: {}",
                toll.denied,
            );
        }
    }

    fn note_failure(&self, now: Duration, failure: &RefreshFailure) {
        let (least, most) = self.settings.retry;
        let mut schedule = self.schedule();
        schedule.fetches += 1;
        let doubled = least.saturating_mul(1 << schedule.failures.min(16));
        schedule.due = now + jitter(doubled.min(most));
        schedule.failures = schedule.failures.saturating_add(1);
        schedule.last_failure = Some(failure.clone());
        // The background sleeps until the old moment, which may be hours away.
        self.failed.notify_one();
        drop(schedule);
        self.log_notice(self.log.fail(now), "no new keys", &failure.reason);
    }

    /// Logs the first failure or denial, by these words, and now and then that it goes on.
    pub(super) fn log_notice(&self, notice: FailureNotice, first: &'static str, reason: &str) {
        let issuer = &self.issuer;
        match notice {
            FailureNotice::First => tracing::warn!(%issuer, reason, "{first}"),
            FailureNotice::Again(toll) => tracing::warn!(
                %issuer,
                reason,
                failures = toll.failures,
                denied = toll.denied,
                "still no new keys after {toll}",
            ),
            FailureNotice::Known => tracing::debug!(%issuer, reason, "still no new keys"),
        }
    }

    /// Looks at the file with the keys. An unchanged file counts as no fetch.
    async fn look_at(&self, path: PathBuf) -> Result<(), RefreshFailure> {
        let began = self.clock().elapsed();
        let result = self.read_file(path).await;
        let now = self.clock().elapsed();
        let mut schedule = self.schedule();
        schedule.due = now + file::LOOK;
        // Looks are frequent: only news is counted and logged, or the log would repeat itself every
        // two seconds.
        let news = match &result {
            Ok(changed) => *changed || schedule.last_failure.is_some(),
            Err(failure) => schedule.last_failure.as_ref() != Some(failure),
        };
        if news {
            schedule.fetches += 1;
            let took = now.saturating_sub(began);
            self.meters.count_fetch(result.is_ok(), took);
        }
        let failure = match result {
            Ok(_) => {
                schedule.failures = 0;
                schedule.last_failure = None;
                schedule.last_good = Some(now);
                drop(schedule);
                self.log_recovery(now);
                return Ok(());
            }
            Err(failure) => failure,
        };
        schedule.failures = schedule.failures.saturating_add(1);
        schedule.last_failure = Some(failure.clone());
        drop(schedule);
        self.log_notice(self.log.fail(now), "no new keys", &failure.reason);
        Err(failure)
    }

    /// Fetches the key set and puts it in force. Answers with the issuer's `max-age`.
    async fn fetch_keys(&self) -> Result<Option<Duration>, RefreshFailure> {
        let (url, reach) = self.key_set_url().await?;
        let before = self.sets.load_full();
        let etag = before.as_ref().and_then(|set| set.etag_at(&url));
        let response = match self.egress.fetch.get(&url, reach, etag).await {
            Ok(response) => response,
            Err(fault) => return Err(RefreshFailure::of_fetch(&fault)),
        };
        match response {
            DocumentResponse::NotModified { max_age } => {
                // A server that answers 304 to a request without `If-None-Match` is broken.
                let Some(set) = before else {
                    let reason = format!("{url}: the answer was 304, unasked");
                    return Err(RefreshFailure::of_keys(reason));
                };
                self.put_in_force(set.jwks.clone(), set.etag.clone());
                Ok(max_age)
            }
            DocumentResponse::Document {
                body,
                etag,
                max_age,
            } => {
                // A document without a usable key never takes the place of a good one.
                let jwks = match Jwks::parse(&body, &self.egress.limits) {
                    Ok(jwks) => jwks,
                    Err(error) => return Err(RefreshFailure::of_keys(format!("{url}: {error}"))),
                };
                self.install(jwks, etag.map(|etag| (url, etag)));
                self.save(&body);
                Ok(max_age)
            }
        }
    }

    pub(super) fn install(&self, jwks: Jwks, etag: Option<(Url, String)>) {
        let changed = match &*self.sets.load() {
            Some(set) => !set.same_keys(&jwks),
            None => true,
        };
        if changed {
            self.log_new_keys(&jwks);
            // What was unknown may be known now, and what was settled may differ.
            self.unknown_kids().clear();
            self.schedule().settled_until = Duration::ZERO;
        }
        self.put_in_force(jwks, etag);
    }

    fn put_in_force(&self, jwks: Jwks, etag: Option<(Url, String)>) {
        self.sets.store(Some(Arc::new(KeySet {
            jwks,
            good_until: self.clock().elapsed() + self.settings.outlive,
            etag,
        })));
    }

    fn log_new_keys(&self, jwks: &Jwks) {
        tracing::info!(
            issuer = %self.issuer,
            keys = jwks.keys().len(),
            skipped = jwks.skipped_keys().len(),
            "new keys",
        );
        for skipped in jwks.skipped_keys() {
            tracing::warn!(
                issuer = %self.issuer,
                index = skipped.index,
                kid = skipped.kid,
                reason = %skipped.fault,
                "key skipped",
            );
        }
    }

    fn save(&self, key_set: &[u8]) {
        let Some(path) = &self.settings.snapshot else {
            return;
        };
        if let Err(error) = snapshot::write(path, &self.issuer, self.clock().now(), key_set) {
            tracing::warn!(
                issuer = %self.issuer,
                path = %path.display(),
                reason = %error,
                "keys not saved",
            );
        }
    }

    async fn key_set_url(&self) -> Result<(Url, Reach), RefreshFailure> {
        match &self.source {
            KeySource::Uri(url) => Ok((url.clone(), Reach::Anywhere)),
            KeySource::Discovered | KeySource::DiscoveredUnder(_) | KeySource::Metadata(_) => {
                let known = self.current_metadata().await?;
                Ok((known.metadata.jwks_uri, known.reach))
            }
            KeySource::Fixed(_) | KeySource::File(_) => {
                Err(RefreshFailure::of_keys("the keys have no address"))
            }
        }
    }

    /// The metadata: the known one while it is fresh; fetched again once it is not; and the old
    /// one, for some days, while nobody answers.
    async fn current_metadata(&self) -> Result<KnownMetadata, RefreshFailure> {
        let (fresh, most) = self.settings.metadata;
        let known = self.schedule().metadata.clone();
        if let Some(known) = &known
            && self.age(known) < fresh
        {
            return Ok(known.clone());
        }
        let urls = self.source.metadata_urls(&self.issuer);
        let (fetch, limits) = (&self.egress.fetch, &self.egress.limits);
        let needed = &self.settings.needed;
        let error = match Metadata::find(fetch, &self.issuer, urls, limits, needed).await {
            Ok(metadata) => return Ok(self.learn(metadata, known).await),
            Err(error) => error,
        };
        // The age is read again: asking takes time.
        if let Some(known) = known
            && self.age(&known) < most
        {
            tracing::warn!(
                issuer = %self.issuer,
                reason = %error,
                "old metadata stays in use",
            );
            return Ok(known);
        }
        Err(RefreshFailure {
            code: OutageCode::Metadata,
            reason: error.to_string(),
            cure: error.cure(),
        })
    }

    fn age(&self, known: &KnownMetadata) -> Duration {
        self.clock().elapsed().saturating_sub(known.fetched)
    }

    /// The metadata that was last fetched, however old, and where its addresses may lead.
    pub fn known_metadata(&self) -> Option<(Metadata, Reach)> {
        let schedule = self.schedule();
        let known = schedule.metadata.as_ref()?;
        Some((known.metadata.clone(), known.reach))
    }

    async fn learn(&self, metadata: Metadata, before: Option<KnownMetadata>) -> KnownMetadata {
        if let Some(before) = before {
            self.warn_of_move(&before.metadata.jwks_uri, &metadata.jwks_uri);
        }
        for name in &self.settings.needed {
            if !metadata.names(name) {
                tracing::error!(
                    issuer = %self.issuer,
                    reason = format!("the metadata names no `{name}`"),
                    "an address that the settings rely on is missing",
                );
            }
        }
        let known = KnownMetadata {
            reach: reach_of_metadata(&self.issuer).await,
            metadata,
            fetched: self.clock().elapsed(),
        };
        self.schedule().metadata = Some(known.clone());
        known
    }

    /// Providers seldom move their keys to another host; an attacker who can write the metadata
    /// would.
    fn warn_of_move(&self, from: &Url, to: &Url) {
        if from.host() != to.host() {
            tracing::warn!(
                issuer = %self.issuer,
                %from,
                %to,
                "the issuer's keys moved to another host",
            );
        }
    }
}

/// A tenth more or less, so that many servers do not ask at once.
fn jitter(duration: Duration) -> Duration {
    // Each `RandomState` has other keys: random enough here, without a dependency.
    let random = RandomState::new().hash_one(0_u8) % 1_000;
    duration.mul_f64(0.9 + 0.2 * (random as f64 / 1_000.0))
}
