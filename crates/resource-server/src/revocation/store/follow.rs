//! Following the log: loading it whole, then each entry as it comes, over every loss of the
//! connection.
//!
//! A replica goes on from the last entry that it read, if that is still there. If it is not, the
//! store lost entries (a restart without its data, a failover, a deleted key): the replica reads
//! the whole log again, forgets no revocation, and writes the entries that the store lacks. It
//! does the same if the store lost the last entry that it wrote itself: nobody may have read that.

use super::fault::StoreFault;
use super::log;
use super::log::{Log, LogConnection, LogEntry, START};
use super::writer::{LogWriter, no_log};
use crate::revocation::settings::StoreSettings;
use crate::revocation::{Denylist, Revocation, Revocations};
use portcullis_core::Outage;
use portcullis_core::token::NumericDate;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Keeps one replica and the store alike.
pub(in crate::revocation) struct Follower {
    log: Option<Log>,
    started: AtomicBool,
    writer: LogWriter,
}

/// How long one read waits for news, in milliseconds. Each is a sign of life, well within the
/// shortest grace.
const BEAT: usize = 1_000;

/// How long a replica that got news waits before it reads on, unless more is there already. In a
/// burst, a store with a thousand replicas would otherwise answer each of them for each entry. Not
/// by the clock of decisions: like the timeouts of the connection, it is between this process and
/// the store.
const GATHER: Duration = Duration::from_millis(100);

/// The waits between attempts to connect: they double from the first to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

impl Follower {
    pub(in crate::revocation) fn new(settings: &StoreSettings) -> Self {
        // The URL was checked with the settings. What the client still refuses, the follower
        // reports.
        let log = Log::open(&settings.url, &settings.stream).ok();
        Self {
            writer: LogWriter::new(log.clone()),
            started: AtomicBool::new(false),
            log,
        }
    }

    /// Begins to follow, once.
    pub(in crate::revocation) fn start(&self, revocations: &Arc<Revocations>) {
        // Every request with a store comes here: a plain load spares it the write of a swap.
        if self.started.load(Ordering::Relaxed) {
            return;
        }
        // The runtime comes first: without one, the flag stays clear for a call that has one.
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && !self.started.swap(true, Ordering::Relaxed)
        {
            // Weak, because a task that held the server would keep it alive for ever.
            runtime.spawn(follow(Arc::downgrade(revocations), self.log.clone()));
        }
    }

    /// Writes a revocation that is in force here already.
    pub(in crate::revocation) async fn publish(
        &self,
        revocation: Revocation,
        now: NumericDate,
    ) -> Result<(), Outage> {
        Ok(self.writer.publish(revocation, now).await?)
    }
}

/// Follows for as long as somebody holds the server.
async fn follow(revocations: Weak<Revocations>, log: Option<Log>) {
    let mut position = LogPosition::default();
    loop {
        let ended = match &log {
            Some(log) => position.follow(&revocations, log).await,
            None => Err(no_log()),
        };
        let (Err(StoreFault(reason)), Some(holder)) = (ended, revocations.upgrade()) else {
            return;
        };
        holder.note_failure(&reason);
        let (clock, wait) = (Arc::clone(&holder.clock), pause(position.failures));
        position.failures = position.failures.saturating_add(1);
        // Dropped before the wait, so that a server that is gone is not kept for it.
        drop(holder);
        clock.sleep(wait).await;
    }
}

/// How far a replica has read the log.
#[derive(Default)]
struct LogPosition {
    /// The last entry that was read; none before the first full load.
    place: Option<String>,
    failures: u32,
    /// When writing what the store lacks may be tried again.
    restore_at: Duration,
}

impl LogPosition {
    /// One connection, until it is lost, or until nobody holds the server any more.
    async fn follow(
        &mut self,
        revocations: &Weak<Revocations>,
        log: &Log,
    ) -> Result<(), StoreFault> {
        let mut reader = log.connect().await?;
        // A store that died may have answered to entries that it then lost. Where nobody had read
        // them, the places of all replicas are still there.
        let Some(holder) = revocations.upgrade() else {
            return Ok(());
        };
        if let Some(follower) = &holder.follower {
            follower.writer.look_for_written(&mut reader).await?;
        }
        drop(holder);
        // The first read does not block: a quiet log would delay the first contact by a beat.
        let mut wait = None;
        loop {
            let (news, continues) = match &self.place {
                None => (Vec::new(), false),
                Some(place) => reader.follow(place, wait).await?,
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
            // After the entries were taken: the contact vouches for them.
            holder.note_contact();
            self.failures = 0;
            wait = Some(BEAT);
            // Dropped before the wait, so that a server that is gone is not kept for it.
            drop(holder);
            if !news.is_empty() && news.len() < log::BATCH {
                tokio::time::sleep(GATHER).await;
            }
        }
    }

    fn is_to_restore(&self, holder: &Revocations) -> bool {
        self.restore_at <= holder.clock.elapsed() && holder.has_unpublished()
    }

    fn move_to(&mut self, last: Option<&LogEntry>) {
        if let Some(last) = last {
            self.place = Some(last.id.clone());
        }
    }

    /// Reads the log from its beginning, and then writes what it lacks of what is known here.
    async fn reload(
        &mut self,
        holder: &Revocations,
        reader: &mut LogConnection,
    ) -> Result<(), StoreFault> {
        if self.place.is_some() {
            tracing::warn!("the revocation store may lack entries: reading it whole");
        }
        let was_unpublished = holder.has_unpublished();
        // Cleared before reading: what comes meanwhile sets it again.
        holder.set_unpublished(false);
        // Only a replica that knows something needs to compare.
        let stored = (holder.list.len() > 0).then(|| Denylist::new(usize::MAX));
        match holder.load(reader, stored.as_ref()).await {
            Ok(place) => self.place = Some(place),
            Err(fault) => {
                // The place may still be there, and then nothing else would cause another attempt.
                if was_unpublished {
                    holder.set_unpublished(true);
                }
                return Err(fault);
            }
        }
        let Some(stored) = stored else { return Ok(()) };
        if let Err(StoreFault(reason)) = self.restore(holder, reader, &stored).await {
            tracing::warn!(
                reason,
                "the revocation store lacks entries, and does not accept them"
            );
            holder.set_unpublished(true);
            self.restore_at = holder.clock.elapsed() + RESTORE_AGAIN;
        }
        Ok(())
    }

    /// Writes the entries that the store lacks: one replica at a time, so that not all write the
    /// same.
    async fn restore(
        &mut self,
        holder: &Revocations,
        reader: &mut LogConnection,
        stored: &Denylist,
    ) -> Result<(), StoreFault> {
        let name = format!("{:016x}", RandomState::new().hash_one(0_u8));
        loop {
            let now = holder.clock.now();
            let is_lacking = |known: &Revocation| known.until() >= now && !stored.covers(known);
            let lacking = holder.list.filter(is_lacking);
            if lacking.is_empty() {
                return Ok(());
            }
            // Waiting for a turn is no silence of the store.
            holder.note_contact();
            if reader.take_turn(&name, false).await? {
                tracing::warn!(
                    entries = lacking.len(),
                    "writing the entries that the revocation store lacks"
                );
                for batch in lacking.chunks(log::BATCH) {
                    reader.append(batch).await?;
                    // A restore may take longer than one turn lasts, so each batch extends it.
                    reader.take_turn(&name, true).await?;
                    holder.note_contact();
                }
                return reader.end_turn().await;
            }
            // Another replica has the turn: its entries come along the log. Comparing walks through
            // everything that is known, so it is not done for each batch.
            let until = Instant::now() + COMPARED_EVERY;
            while Instant::now() < until {
                let place = self.place.as_deref().unwrap_or(START);
                let news = reader.after(place, Some(BEAT)).await?;
                holder.take_also(&news, Some(stored))?;
                self.move_to(news.last());
            }
        }
    }
}

/// How long a replica reads what another one restores before it looks what is still lacking.
const COMPARED_EVERY: Duration = Duration::from_secs(1);

/// How long until the next attempt to restore the store, after it did not accept the entries.
const RESTORE_AGAIN: Duration = Duration::from_secs(60);

impl Revocations {
    /// Reads the log from its beginning. Answers with the place of its last entry.
    async fn load(
        &self,
        reader: &mut LogConnection,
        stored: Option<&Denylist>,
    ) -> Result<String, StoreFault> {
        let mut place = START.to_owned();
        loop {
            let batch = reader.after(&place, None).await?;
            let Some(last) = batch.last() else {
                return Ok(place);
            };
            place.clone_from(&last.id);
            self.take_also(&batch, stored)?;
            // A replica that may only read the store leaves this to others.
            _ = reader.delete_ended(&batch, self.clock.now()).await;
        }
    }

    fn take(&self, entries: &[LogEntry]) -> Result<(), StoreFault> {
        self.take_also(entries, None)
    }

    /// Adds the revocations of these entries, also to another list. Other entries are counted and
    /// logged.
    fn take_also(&self, entries: &[LogEntry], other: Option<&Denylist>) -> Result<(), StoreFault> {
        let now = self.clock.now();
        let mut ignored = 0;
        for LogEntry { id, revocation } in entries {
            match revocation {
                // An entry past its end takes room and refuses nothing: the tokens have ended too.
                Ok(revocation) if revocation.until() < now => {}
                Ok(revocation) => {
                    self.list.add(*revocation, now)?;
                    if let Some(other) = other {
                        other.add(*revocation, now)?;
                    }
                }
                Err(reason) => {
                    // One line for each batch: a stream of junk must not fill the log.
                    if ignored == 0 {
                        tracing::warn!(id, reason, "an entry of the revocation store is ignored");
                    }
                    ignored += 1;
                }
            }
        }
        if let Some(contact) = &self.contact {
            contact.count_entries(entries.len() as u64, ignored);
        }
        Ok(())
    }

    fn note_contact(&self) {
        if let Some(contact) = &self.contact {
            contact.note_contact();
        }
    }

    fn note_failure(&self, reason: &str) {
        if let Some(contact) = &self.contact {
            contact.note_failure(reason);
        }
    }

    /// Whether something is in force here that the store may not hold.
    fn has_unpublished(&self) -> bool {
        match &self.follower {
            Some(follower) => follower.writer.has_unpublished(),
            None => false,
        }
    }

    fn set_unpublished(&self, unpublished: bool) {
        if let Some(follower) = &self.follower {
            follower.writer.set_unpublished(unpublished);
        }
    }
}

/// Doubled with each failure, with a quarter more or less, so that many replicas do not come at
/// once.
fn pause(failures: u32) -> Duration {
    let (least, most) = RETRY;
    let random = RandomState::new().hash_one(0_u8) % 1_000;
    // Bounded before the shift: a shift by 32 overflows, and a store may be away for days.
    let doubled = least.saturating_mul(1 << failures.min(10)).min(most);
    doubled.mul_f64(0.75 + 0.5 * (random as f64 / 1_000.0))
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.log.fmt(f)
    }
}
