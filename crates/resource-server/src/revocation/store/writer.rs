//! What a replica writes to the log, and whether the store still has it.
//!
//! A store that dies may lose entries that it had answered to. Where no replica had read them yet,
//! the places of all are still there, and only the writer can notice.

use super::fault::StoreFault;
use super::log::{EntryId, Log, LogConnection};
use crate::revocation::Revocation;
use portcullis_core::token::NumericDate;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use tokio::sync::Mutex;

/// The writing side of one replica.
pub(super) struct LogWriter {
    log: Option<Log>,
    /// Whether something is in force here that the store may not hold.
    unpublished: AtomicBool,
    published: AtomicU32,
    /// When the next search for entries to delete may be, in seconds since 1970.
    clean_at: AtomicI64,
    /// The last entry that was written.
    written: std::sync::Mutex<Option<EntryId>>,
    /// How often the reader connected.
    connects: AtomicU64,
    connection: Mutex<Option<LogConnection>>,
}

/// How many revocations are written between two searches for entries to delete.
const CLEAN_EVERY: u32 = 100;

/// How many seconds later the next one is at least, where a search found nothing: it reads hundreds
/// of entries, and in a burst it would cost more than the writing.
const CLEAN_AFTER: i64 = 10;

impl LogWriter {
    pub(super) fn new(log: Option<Log>) -> Self {
        Self {
            log,
            unpublished: AtomicBool::new(false),
            published: AtomicU32::new(0),
            clean_at: AtomicI64::new(i64::MIN),
            written: std::sync::Mutex::default(),
            connects: AtomicU64::new(0),
            connection: Mutex::default(),
        }
    }

    pub(super) fn has_unpublished(&self) -> bool {
        self.unpublished.load(Ordering::Acquire)
    }

    pub(super) fn set_unpublished(&self, unpublished: bool) {
        self.unpublished.store(unpublished, Ordering::Release);
    }

    /// Writes a revocation that is in force here already.
    pub(super) async fn publish(
        &self,
        revocation: Revocation,
        now: NumericDate,
    ) -> Result<(), StoreFault> {
        let written = self.write(revocation, now).await;
        if written.is_err() {
            // The connection may be dead: the next writer opens another one. The entry itself is
            // written once the log is read again.
            *self.connection.lock().await = None;
            self.set_unpublished(true);
        }
        written
    }

    async fn write(&self, revocation: Revocation, now: NumericDate) -> Result<(), StoreFault> {
        let mut connection = self.connection().await?;
        let connects = self.connects.load(Ordering::Acquire);
        let id = connection.append(&[revocation]).await?;
        self.note(id);
        // After the place was noted: a reader that connected meanwhile looked for an earlier one.
        if self.connects.load(Ordering::Acquire) != connects {
            self.set_unpublished(true);
        }
        let published = self.published.fetch_add(1, Ordering::Relaxed);
        if published.is_multiple_of(CLEAN_EVERY)
            && now.seconds() >= self.clean_at.load(Ordering::Relaxed)
            && connection.clean(now).await? == 0
        {
            let next = now.plus(CLEAN_AFTER).seconds();
            self.clean_at.store(next, Ordering::Relaxed);
        }
        Ok(())
    }

    fn note(&self, id: Option<EntryId>) {
        let mut written = self.lock_written();
        *written = id.max(*written);
    }

    fn lock_written(&self) -> std::sync::MutexGuard<'_, Option<EntryId>> {
        // A place is replaced as a whole, so a panic elsewhere cannot leave half of it.
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds out, for a reader that connected, whether the store still has the last entry that was
    /// written here, and so all before it.
    pub(super) async fn look_for_written(
        &self,
        reader: &mut LogConnection,
    ) -> Result<(), StoreFault> {
        // Counted before the place is read: see `write`.
        self.connects.fetch_add(1, Ordering::AcqRel);
        let written = *self.lock_written();
        let Some(id) = written else { return Ok(()) };
        if !reader.holds(id).await? {
            self.set_unpublished(true);
            // It comes back under another place.
            _ = self.lock_written().take_if(|written| *written == id);
        }
        Ok(())
    }

    /// The connection that all writers of this replica share; they do not wait for each other's
    /// answers.
    async fn connection(&self) -> Result<LogConnection, StoreFault> {
        // Held while connecting, on purpose: one connection is enough.
        let mut held = self.connection.lock().await;
        if let Some(connection) = &*held {
            return Ok(connection.clone());
        }
        let log = self.log.as_ref().ok_or_else(no_log)?;
        Ok(held.insert(log.connect().await?).clone())
    }
}

pub(super) fn no_log() -> StoreFault {
    StoreFault("the store's URL is not one that its client understands".to_owned())
}
