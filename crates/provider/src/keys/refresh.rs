//! Fetching the keys: once, and again before they grow old.

use super::KeySource;
use super::key_set::KeySet;
use super::{KeyCache, file, snapshot};
use crate::fetch::{DocumentResponse, Reach, leads_outside};
use crate::metadata::{self, Metadata};
use portcullis_core::OutageCode;
use portcullis_core::jose::Jwks;
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tracing::Instrument as _;
use url::Url;

/// The metadata in use, and when it was fetched on the monotonic clock.
#[derive(Clone, Debug)]
pub(super) struct KnownMetadata {
    metadata: Metadata,
    fetched: Duration,
    reach: Reach,
}

/// Why there are no new keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RefreshFailure {
    pub(super) code: OutageCode,
    pub(super) reason: String,
}

/// Keeps the keys fresh for as long as somebody holds the cache.
pub(super) async fn keep_fresh(cache: Weak<KeyCache>) {
    loop {
        let Some(cache_now) = cache.upgrade() else {
            return;
        };
        let (clock, due) = (Arc::clone(&cache_now.clock), cache_now.refresh_due());
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
    /// One fetch, with all that follows from it. Only a flight calls this: one at a time.
    pub(super) async fn fetch_once(&self) -> Result<(), RefreshFailure> {
        if let KeySource::File(path) = &self.source {
            return self.look_at(path.clone()).await;
        }
        let began = self.clock.elapsed();
        let span = tracing::debug_span!(super::meters::KEY_FETCH, issuer = %self.issuer);
        let result = self.fetch_keys().instrument(span).await;
        let now = self.clock.elapsed();
        self.meters
            .count_fetch(result.is_ok(), now.saturating_sub(began));
        let mut schedule = self.schedule();
        schedule.fetches += 1;
        match &result {
            Ok(max_age) => {
                schedule.due = now + jitter(self.settings.refresh_after(*max_age));
                schedule.failures = 0;
                schedule.last_failure = None;
                schedule.last_good = Some(now);
            }
            Err(failure) => {
                let (least, most) = self.settings.retry;
                let doubled = least.saturating_mul(1 << schedule.failures.min(16));
                schedule.due = now + jitter(doubled.min(most));
                schedule.failures = schedule.failures.saturating_add(1);
                schedule.last_failure = Some(failure.clone());
                self.failed.notify_one();
                tracing::warn!(
                    issuer = %self.issuer,
                    reason = failure.reason,
                    failures = schedule.failures,
                    "no new keys",
                );
            }
        }
        result.map(|_| ())
    }

    /// Looks at the file with the keys. A file that is as it was counts as no fetch.
    async fn look_at(&self, path: PathBuf) -> Result<(), RefreshFailure> {
        let began = self.clock.elapsed();
        let result = self.read_file(path).await;
        let now = self.clock.elapsed();
        let mut schedule = self.schedule();
        schedule.due = now + file::LOOK;
        let news = match &result {
            Ok(changed) => *changed || schedule.last_failure.is_some(),
            Err(failure) => schedule.last_failure.as_ref() != Some(failure),
        };
        match &result {
            Ok(_) => {
                schedule.failures = 0;
                schedule.last_failure = None;
                schedule.last_good = Some(now);
            }
            Err(failure) => {
                if news {
                    tracing::warn!(issuer = %self.issuer, reason = failure.reason, "no new keys");
                }
                schedule.failures = schedule.failures.saturating_add(1);
                schedule.last_failure = Some(failure.clone());
            }
        }
        if news {
            schedule.fetches += 1;
            self.meters
                .count_fetch(result.is_ok(), now.saturating_sub(began));
        }
        result.map(|_| ())
    }

    /// Fetches the key set and puts it in force. Answers with the issuer's `max-age`.
    async fn fetch_keys(&self) -> Result<Option<Duration>, RefreshFailure> {
        let keys = |reason: String| RefreshFailure {
            code: OutageCode::Keys,
            reason,
        };
        let (url, reach) = self.key_set_url().await?;
        let before = self.sets.load_full();
        let etag = before
            .as_ref()
            .and_then(|set| set.etag.clone())
            .filter(|(from, _)| *from == url);
        let etag = etag.map(|(_, etag)| etag);
        match self
            .fetch
            .get(&url, reach, etag.as_deref())
            .await
            .map_err(|fault| keys(fault.to_string()))?
        {
            DocumentResponse::NotModified { max_age } => {
                let set =
                    before.ok_or_else(|| keys(format!("{url}: the answer was 304, unasked")))?;
                self.sets.store(Some(Arc::new(KeySet {
                    good_until: self.good_until(),
                    ..(*set).clone()
                })));
                Ok(max_age)
            }
            DocumentResponse::Document {
                body,
                etag,
                max_age,
            } => {
                // A document without a usable key never takes the place of a good one.
                let jwks = Jwks::parse(&body, &self.settings.limits)
                    .map_err(|error| keys(format!("{url}: {error}")))?;
                self.install(jwks, etag.map(|etag| (url, etag)));
                self.save(&body);
                Ok(max_age)
            }
        }
    }

    pub(super) fn install(&self, jwks: Jwks, etag: Option<(Url, String)>) {
        let changed = self
            .sets
            .load()
            .as_ref()
            .is_none_or(|set| !set.same_keys(&jwks));
        if changed {
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
            self.unknown_kids().clear();
            self.schedule().settled_until = Duration::ZERO;
        }
        self.sets.store(Some(Arc::new(KeySet {
            jwks,
            good_until: self.good_until(),
            etag,
        })));
    }

    fn save(&self, key_set: &[u8]) {
        if let Some(path) = &self.settings.snapshot
            && let Err(error) = snapshot::write(path, &self.issuer, self.clock.now(), key_set)
        {
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
            KeySource::Discovered | KeySource::DiscoveredUnder(_) | KeySource::Metadata(_) => self
                .discover()
                .await
                .map(|known| (known.metadata.jwks_uri, known.reach)),
            KeySource::Fixed(_) | KeySource::File(_) => Err(RefreshFailure {
                code: OutageCode::Keys,
                reason: "the keys have no address".to_owned(),
            }),
        }
    }

    /// The metadata: what is known, while it is fresh; asked for again, when it is not; and what
    /// was known, for some days, while nobody answers.
    async fn discover(&self) -> Result<KnownMetadata, RefreshFailure> {
        let (fresh, most) = self.settings.metadata;
        let known = self.schedule().metadata.clone();
        let age = |known: &KnownMetadata| self.clock.elapsed().saturating_sub(known.fetched);
        if let Some(known) = known.as_ref().filter(|known| age(known) < fresh) {
            return Ok(known.clone());
        }
        let (urls, limits) = (self.metadata_urls(), &self.settings.limits);
        let needed = &self.settings.needed;
        match Metadata::find(&self.fetch, &self.issuer, urls, limits, needed).await {
            Ok(metadata) => Ok(self.learn(metadata, known).await),
            Err(error) => match known.filter(|known| age(known) < most) {
                Some(known) => {
                    tracing::warn!(
                        issuer = %self.issuer,
                        reason = %error,
                        "old metadata stays in use",
                    );
                    Ok(known)
                }
                None => Err(RefreshFailure {
                    code: OutageCode::Metadata,
                    reason: error.to_string(),
                }),
            },
        }
    }

    /// The metadata that was last fetched, however old, and where what it names may lead.
    pub fn known_metadata(&self) -> Option<(Metadata, Reach)> {
        self.schedule()
            .metadata
            .as_ref()
            .map(|known| (known.metadata.clone(), known.reach))
    }

    fn metadata_urls(&self) -> Vec<Url> {
        match &self.source {
            KeySource::Metadata(url) => vec![url.clone()],
            KeySource::DiscoveredUnder(base) => metadata::well_known(base),
            _ => metadata::well_known(self.issuer.as_str()),
        }
    }

    async fn learn(&self, metadata: Metadata, before: Option<KnownMetadata>) -> KnownMetadata {
        if let Some(before) =
            before.filter(|before| before.metadata.jwks_uri.host() != metadata.jwks_uri.host())
        {
            let (from, to) = (&before.metadata.jwks_uri, &metadata.jwks_uri);
            tracing::warn!(
                issuer = %self.issuer,
                %from,
                %to,
                "the issuer's keys moved to another host",
            );
        }
        let public = match Url::parse(self.issuer.as_str()) {
            Ok(issuer) => leads_outside(&issuer).await,
            Err(_) => true,
        };
        let reach = if public {
            Reach::Outside
        } else {
            Reach::Anywhere
        };
        for name in self
            .settings
            .needed
            .iter()
            .filter(|name| !metadata.names(name))
        {
            tracing::error!(
                issuer = %self.issuer,
                reason = format!("the metadata names no `{name}`"),
                "an address that the settings rely on is missing",
            );
        }
        let known = KnownMetadata {
            metadata,
            fetched: self.clock.elapsed(),
            reach,
        };
        self.schedule().metadata = Some(known.clone());
        known
    }

    fn good_until(&self) -> Duration {
        self.clock.elapsed() + self.settings.outlive
    }
}

/// A tenth more or less, so that many servers do not ask at once.
fn jitter(duration: Duration) -> Duration {
    let random = RandomState::new().hash_one(0_u8) % 1_000;
    duration.mul_f64(0.9 + 0.2 * (random as f64 / 1_000.0))
}
