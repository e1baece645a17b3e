//! The few commands that are sent to the store, each with a time limit.

use super::fault::StoreFault;
use super::record;
use crate::revocation::Revocation;
use crate::revocation::settings::StoreUrl;
use portcullis_core::rejection::quote;
use portcullis_core::token::NumericDate;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, RedisError, Value, cmd};
use std::fmt;
use std::time::Duration;

/// A stream of a Redis or Valkey.
#[derive(Clone)]
pub(super) struct Log {
    client: Client,
    stream: String,
}

/// A connection to the stream. Clones share it, and do not wait for each other's answers.
#[derive(Clone)]
pub(super) struct LogConnection {
    connection: MultiplexedConnection,
    stream: String,
}

/// An entry: its place in the log, and its revocation, or why it holds none.
pub(super) struct LogEntry {
    pub(super) id: String,
    pub(super) revocation: Result<Revocation, &'static str>,
}

/// The place of an entry as numbers, which the store counts upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryId(u64, u64);

impl EntryId {
    fn parse(text: &str) -> Option<Self> {
        let (time, number) = text.split_once('-')?;
        Some(Self(time.parse().ok()?, number.parse().ok()?))
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

/// The place before the first entry.
pub(super) const START: &str = "0-0";

/// How many entries are read or written at once.
pub(super) const BATCH: usize = 500;

/// How long a command may take; longer than a replica waits for the next entry.
const ANSWER: Duration = Duration::from_secs(3);

const CONNECT: Duration = Duration::from_secs(2);

/// How long after its end an entry may be deleted. A clock that is wrong by hours must not delete
/// for all replicas.
const DELETED_AFTER: i64 = 86_400;

impl Log {
    pub(super) fn open(url: &StoreUrl, stream: &str) -> Result<Self, RedisError> {
        if url.as_str().starts_with("rediss:") {
            // A program that chose its cryptography keeps it. Without a choice, a connection would
            // panic.
            _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        Ok(Self {
            client: Client::open(url.as_str())?,
            stream: stream.to_owned(),
        })
    }

    pub(super) async fn connect(&self) -> Result<LogConnection, StoreFault> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(LogConnection {
            connection,
            stream: self.stream.clone(),
        })
    }
}

impl LogConnection {
    /// The next entries after a place; waits for them for so many milliseconds, or not at all.
    pub(super) async fn after(
        &mut self,
        place: &str,
        wait: Option<usize>,
    ) -> Result<Vec<LogEntry>, StoreFault> {
        let read = self.read(place, wait);
        news(read.query_async(&mut self.connection).await?)
    }

    /// The same, and then whether the entry at the place is still there: if not, the log is not the
    /// one that was read. Both in one round trip: every replica makes it each second.
    pub(super) async fn follow(
        &mut self,
        place: &str,
        wait: Option<usize>,
    ) -> Result<(Vec<LogEntry>, bool), StoreFault> {
        let mut both = redis::pipe();
        both.add_command(self.read(place, wait))
            // In this order: entries of another log than the one that was followed do not count.
            .add_command(self.range(place));
        let (read, held): (Value, Value) = both.query_async(&mut self.connection).await?;
        let continues = place == START || !entries(Some(held))?.is_empty();
        Ok((news(read)?, continues))
    }

    /// Whether the entry at a place is there, and with it all before it.
    pub(super) async fn holds(&mut self, id: EntryId) -> Result<bool, StoreFault> {
        let range = self.range(&id.to_string());
        let held: Value = range.query_async(&mut self.connection).await?;
        Ok(!entries(Some(held))?.is_empty())
    }

    fn range(&self, place: &str) -> Cmd {
        let mut range = cmd("XRANGE");
        range.arg(&self.stream).arg(place).arg(place);
        range
    }

    fn read(&self, place: &str, wait: Option<usize>) -> Cmd {
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(BATCH);
        if let Some(wait) = wait {
            read.arg("BLOCK").arg(wait);
        }
        read.arg("STREAMS").arg(&self.stream).arg(place);
        read
    }

    /// Writes entries at the end. Answers with the place of the last.
    pub(super) async fn append(
        &mut self,
        revocations: &[Revocation],
    ) -> Result<Option<EntryId>, StoreFault> {
        let mut last = None;
        // In batches: one pipeline for a million entries would hold them all in memory at once.
        for batch in revocations.chunks(BATCH) {
            let mut pipeline = redis::pipe();
            for revocation in batch {
                pipeline
                    .cmd("XADD")
                    .arg(&self.stream)
                    // The store numbers the entries, so the clocks of replicas have no say in their
                    // order.
                    .arg("*")
                    .arg(record::fields(revocation));
            }
            let ids: Vec<String> = pipeline.query_async(&mut self.connection).await?;
            last = ids.last().and_then(|id| EntryId::parse(id));
        }
        Ok(last)
    }

    /// Deletes what ended a day ago among the oldest entries, so that the log does not grow for
    /// ever. Answers with how many those were.
    pub(super) async fn clean(&mut self, now: NumericDate) -> Result<usize, StoreFault> {
        let mut range = cmd("XRANGE");
        range
            .arg(&self.stream)
            .arg("-")
            .arg("+")
            .arg("COUNT")
            .arg(BATCH);
        let oldest = entries(Some(range.query_async(&mut self.connection).await?))?;
        self.delete_ended(&oldest, now).await
    }

    /// Deletes those of these entries that ended a day ago. Answers with how many those were.
    pub(super) async fn delete_ended(
        &mut self,
        entries: &[LogEntry],
        now: NumericDate,
    ) -> Result<usize, StoreFault> {
        let mut ids = Vec::new();
        for entry in entries {
            // An entry that cannot be read stays: it may be of a newer version.
            if let Ok(revocation) = entry.revocation
                && now.since(revocation.until()) > DELETED_AFTER
            {
                ids.push(entry.id.as_str());
            }
        }
        if ids.is_empty() {
            return Ok(0);
        }
        let count = ids.len();
        let mut delete = cmd("XDEL");
        delete.arg(&self.stream).arg(ids);
        delete.query_async::<()>(&mut self.connection).await?;
        Ok(count)
    }

    /// Takes or extends the right to restore the log, for ten seconds. Answers whether it was free.
    pub(super) async fn take_turn(&mut self, name: &str, extend: bool) -> Result<bool, StoreFault> {
        // It ends by itself: a replica that dies in the middle must not block the others.
        let condition = if extend { "XX" } else { "NX" };
        let mut set = cmd("SET");
        set.arg(self.turn())
            .arg(name)
            .arg("PX")
            .arg(10_000)
            .arg(condition);
        let answer: Value = set.query_async(&mut self.connection).await?;
        Ok(answer == Value::Okay)
    }

    pub(super) async fn end_turn(&mut self) -> Result<(), StoreFault> {
        let mut delete = cmd("DEL");
        delete.arg(self.turn());
        Ok(delete.query_async(&mut self.connection).await?)
    }

    fn turn(&self) -> String {
        format!("{}:restoring", self.stream)
    }
}

/// The entries that `XREAD` answers with.
fn news(answer: Value) -> Result<Vec<LogEntry>, StoreFault> {
    match answer {
        // Nothing came in time.
        Value::Nil => Ok(Vec::new()),
        Value::Array(streams) => match streams.into_iter().next() {
            Some(Value::Array(mut stream)) => entries(stream.pop()),
            _ => Err(strange()),
        },
        _ => Err(strange()),
    }
}

/// The entries of an answer. An entry that is no revocation is an entry too: its place counts.
fn entries(answer: Option<Value>) -> Result<Vec<LogEntry>, StoreFault> {
    let Some(Value::Array(values)) = answer else {
        return Err(strange());
    };
    let mut entries = Vec::new();
    for value in &values {
        entries.push(entry(value).ok_or_else(strange)?);
    }
    Ok(entries)
}

fn entry(value: &Value) -> Option<LogEntry> {
    let Value::Array(parts) = value else {
        return None;
    };
    let [Value::BulkString(id), Value::Array(values)] = parts.as_slice() else {
        return None;
    };
    let mut fields = Vec::new();
    for value in values {
        let Value::BulkString(bytes) = value else {
            return None;
        };
        fields.push(bytes.as_slice());
    }
    Some(LogEntry {
        id: String::from_utf8(id.clone()).ok()?,
        revocation: record::parse(&fields),
    })
}

fn strange() -> StoreFault {
    StoreFault("it answers as no Redis does".to_owned())
}

/// The client's own words, and those of the server, escaped and cut.
impl From<RedisError> for StoreFault {
    fn from(error: RedisError) -> Self {
        match error.detail() {
            None if error.is_timeout() => Self("no answer in time".to_owned()),
            None => Self(quote(&error.to_string())),
            Some(detail) => Self(format!("{}: {}", error.category(), quote(detail))),
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stream {:?} of a store", self.stream)
    }
}
