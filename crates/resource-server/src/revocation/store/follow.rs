//! Following the log: loading it whole, then each entry as it comes, over every loss of the
//! connection.
//!
//! A replica goes on from the last entry that it read, if that is still there. If it is not, the
//! store lost entries (a restart without its data, a failover, a deleted key): the replica reads
//! the log whole again, forgets nothing of what it knows, and writes what the store lacks.

use super::log::{Connection, Log, LogEntry, START};
use super::{Fault, log};
use crate::revocation::settings::StoreSettings;
use crate::revocation::{Contact, Denylist, Revocation, Revocations};
use portcullis_core::Outage;
use portcullis_core::token::NumericDate;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Mutex;

/// What keeps one replica and the store alike.
pub(in crate::revocation) struct Follower {
    log: Option<Log>,
    started: AtomicBool,
    /// Whether something is in force here that the store may not hold.
    unpublished: AtomicBool,
    published: AtomicU32,
    writer: Mutex<Option<Connection>>,
}

/// How long one read waits for news. Each is a sign of life, well within the shortest grace.
const BEAT: usize = 1_000;

/// The waits between attempts to connect: they double from the first to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How many revocations are written between two looks for entries to delete.
const CLEAN_EVERY: u32 = 100;

impl Follower {
    pub(in crate::revocation) fn new(settings: &StoreSettings) -> Self {
        // The URL was checked with the settings. What the client still refuses, the follower
        // reports.
        let log = Log::open(&settings.url, &settings.stream).ok();
        Self {
            log,
            started: AtomicBool::new(false),
            unpublished: AtomicBool::new(false),
            published: AtomicU32::new(0),
            writer: Mutex::default(),
        }
    }

    /// Begins to follow, once.
    pub(in crate::revocation) fn start(&self, revocations: &Arc<Revocations>) {
        if self.started.load(Ordering::Relaxed) {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && !self.started.swap(true, Ordering::Relaxed)
        {
            runtime.spawn(follow(Arc::downgrade(revocations), self.log.clone()));
        }
    }

    /// Writes a revocation that is in force here already.
    pub(in crate::revocation) async fn publish(
        &self,
        revocation: Revocation,
        now: NumericDate,
    ) -> Result<(), Outage> {
        let written = self.write(revocation, now).await;
        if written.is_err() {
            *self.writer.lock().await = None;
            self.unpublished.store(true, Ordering::Release);
        }
        Ok(written?)
    }

    async fn write(&self, revocation: Revocation, now: NumericDate) -> Result<(), Fault> {
        let mut connection = self.writer().await?;
        connection.append(&[revocation]).await?;
        if self
            .published
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(CLEAN_EVERY)
        {
            connection.clean(now).await?;
        }
        Ok(())
    }

    /// The connection that all writers of this replica share; they do not wait for each other's
    /// answers.
    async fn writer(&self) -> Result<Connection, Fault> {
        // Held while connecting, on purpose: one connection is enough.
        let mut writer = self.writer.lock().await;
        if let Some(connection) = &*writer {
            return Ok(connection.clone());
        }
        let log = self.log.as_ref().ok_or_else(no_log)?;
        Ok(writer.insert(log.connect().await?).clone())
    }
}

/// Follows for as long as somebody holds the server.
async fn follow(revocations: Weak<Revocations>, log: Option<Log>) {
    let mut reached = Reached::default();
    loop {
        let ended = match &log {
            Some(log) => reached.follow(&revocations, log).await,
            None => Err(no_log()),
        };
        let (Err(Fault(reason)), Some(holder)) = (ended, revocations.upgrade()) else {
            return;
        };
        holder.tell(|contact| contact.failed(&reason));
        let (clock, wait) = (Arc::clone(&holder.clock), pause(reached.failures));
        reached.failures = reached.failures.saturating_add(1);
        drop(holder);
        clock.sleep(wait).await;
    }
}

/// How far a replica has read.
#[derive(Default)]
struct Reached {
    /// The last entry that was read; none before the first full load.
    place: Option<String>,
    failures: u32,
    /// When writing what the store lacks may be tried again.
    restore_at: Duration,
}

impl Reached {
    /// One connection, until it is lost, or until nobody holds the server any more.
    async fn follow(&mut self, revocations: &Weak<Revocations>, log: &Log) -> Result<(), Fault> {
        let mut reader = log.connect().await?;
        let mut wait = None;
        loop {
            let (news, continues) = match &self.place {
                None => (Vec::new(), false),
                Some(place) => {
                    let news = reader.after(place, wait).await?;
                    // Asked after reading: news of another log than the one that was followed are
                    // no news.
                    (news, place == START || reader.holds(place).await?)
                }
            };
            let Some(holder) = revocations.upgrade() else {
                return Ok(());
            };
            if !continues || self.is_to_restore(&holder) {
                self.reload(&holder, &mut reader).await?;
            } else {
                holder.take(&news)?;
                self.move_to(news.last());
            }
            holder.tell(Contact::heard);
            self.failures = 0;
            wait = Some(BEAT);
        }
    }

    fn is_to_restore(&self, holder: &Revocations) -> bool {
        self.restore_at <= holder.clock.elapsed()
            && holder
                .unpublished()
                .is_some_and(|it| it.load(Ordering::Acquire))
    }

    fn move_to(&mut self, last: Option<&LogEntry>) {
        if let Some(last) = last {
            self.place = Some(last.id.clone());
        }
    }

    /// Reads the log from its beginning, and then writes what it lacks of what is known here.
    async fn reload(&mut self, holder: &Revocations, reader: &mut Connection) -> Result<(), Fault> {
        if self.place.is_some() {
            tracing::warn!("the revocation store may lack entries: reading it whole");
        }
        // Cleared before reading: what comes meanwhile sets it again.
        holder
            .unpublished()
            .inspect(|it| it.store(false, Ordering::Release));
        let stored = (holder.list.len() > 0).then(|| Denylist::new(usize::MAX));
        let mut place = START.to_owned();
        loop {
            let batch = reader.after(&place, None).await?;
            let Some(last) = batch.last() else { break };
            place.clone_from(&last.id);
            holder.take_also(&batch, stored.as_ref())?;
            // Whoever may only read the store leaves this to others.
            _ = reader.delete_ended(&batch, holder.clock.now()).await;
        }
        self.place = Some(place);
        let Some(stored) = stored else { return Ok(()) };
        if let Err(Fault(reason)) = self.restore(holder, reader, &stored).await {
            tracing::warn!(
                reason,
                "the revocation store lacks entries, and does not take them"
            );
            holder
                .unpublished()
                .inspect(|it| it.store(true, Ordering::Release));
            self.restore_at = holder.clock.elapsed() + RESTORE_AGAIN;
        }
        Ok(())
    }

    /// Writes what the store lacks: one replica at a time, so that not all write the same.
    async fn restore(
        &mut self,
        holder: &Revocations,
        reader: &mut Connection,
        stored: &Denylist,
    ) -> Result<(), Fault> {
        let name = format!("{:016x}", RandomState::new().hash_one(0_u8));
        loop {
            let now = holder.clock.now();
            let lacking = holder
                .list
                .filtered(|known| known.until() >= now && !stored.covers(known));
            if lacking.is_empty() {
                return Ok(());
            }
            holder.tell(Contact::heard);
            if reader.take_turn(&name, false).await? {
                tracing::warn!(
                    entries = lacking.len(),
                    "writing to the revocation store what it lacks"
                );
                for batch in lacking.chunks(log::BATCH) {
                    reader.append(batch).await?;
                    reader.take_turn(&name, true).await?;
                    holder.tell(Contact::heard);
                }
                return reader.end_turn().await;
            }
            let news = reader
                .after(self.place.as_deref().unwrap_or(START), Some(BEAT))
                .await?;
            holder.take_also(&news, Some(stored))?;
            self.move_to(news.last());
        }
    }
}

/// How long until the next attempt to write what the store lacks, after it did not take it.
const RESTORE_AGAIN: Duration = Duration::from_secs(60);

impl Revocations {
    fn take(&self, entries: &[LogEntry]) -> Result<(), Fault> {
        self.take_also(entries, None)
    }

    /// Adds the revocations of these entries, also to another list. What is none is counted and
    /// told.
    fn take_also(&self, entries: &[LogEntry], other: Option<&Denylist>) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut ignored = 0;
        for LogEntry { id, revocation } in entries {
            match revocation {
                Ok(revocation) if revocation.until() < now => {}
                Ok(revocation) => {
                    self.list.add(*revocation, now)?;
                    other.map_or(Ok(()), |other| other.add(*revocation, now))?;
                }
                Err(reason) => {
                    if ignored == 0 {
                        tracing::warn!(id, reason, "an entry of the revocation store is ignored");
                    }
                    ignored += 1;
                }
            }
        }
        self.tell(|contact| contact.read(entries.len(), ignored));
        Ok(())
    }

    fn tell(&self, what: impl FnOnce(&Contact)) {
        if let Some(contact) = &self.contact {
            what(contact);
        }
    }

    fn unpublished(&self) -> Option<&AtomicBool> {
        self.follower.as_ref().map(|follower| &follower.unpublished)
    }
}

/// Doubled with each failure, with a quarter more or less, so that many replicas do not come at
/// once.
fn pause(failures: u32) -> Duration {
    let (least, most) = RETRY;
    let random = RandomState::new().hash_one(0_u8) % 1_000;
    let doubled = least.saturating_mul(1 << failures.min(10)).min(most);
    doubled.mul_f64(0.75 + 0.5 * (random as f64 / 1_000.0))
}

fn no_log() -> Fault {
    Fault("the store's URL is not one that its client understands".to_owned())
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.log.fmt(f)
    }
}
