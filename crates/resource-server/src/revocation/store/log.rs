//! The few commands that are sent to the store, each with a time limit.

use super::Fault;
use super::record;
use crate::revocation::Revocation;
use crate::revocation::settings::StoreUrl;
use portcullis_core::rejection::quote;
use portcullis_core::token::NumericDate;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Value, cmd};
use std::fmt;
use std::time::Duration;

/// A stream of a Redis or Valkey.
#[derive(Clone)]
pub(super) struct Log {
    client: Client,
    stream: String,
}

/// A connection to it. Clones share it, and do not wait for each other's answers.
#[derive(Clone)]
pub(super) struct Connection {
    connection: MultiplexedConnection,
    stream: String,
}

/// An entry: where it stands in the log, and the revocation that it holds, or why it holds none.
pub(super) struct LogEntry {
    pub(super) id: String,
    pub(super) revocation: Result<Revocation, &'static str>,
}

/// Before the first entry.
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
            // A program that chose its cryptography keeps it; without a choice, a connection would
            // panic.
            _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        Ok(Self {
            client: Client::open(url.as_str())?,
            stream: stream.to_owned(),
        })
    }

    pub(super) async fn connect(&self) -> Result<Connection, Fault> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(Connection {
            connection,
            stream: self.stream.clone(),
        })
    }
}

impl Connection {
    /// The next entries after a place; waits for them for so many milliseconds, or not at all.
    pub(super) async fn after(
        &mut self,
        place: &str,
        wait: Option<usize>,
    ) -> Result<Vec<LogEntry>, Fault> {
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(BATCH);
        if let Some(wait) = wait {
            read.arg("BLOCK").arg(wait);
        }
        read.arg("STREAMS").arg(&self.stream).arg(place);
        let answer: Value = read.query_async(&mut self.connection).await?;
        match answer {
            Value::Nil => Ok(Vec::new()),
            Value::Array(streams) => match streams.into_iter().next() {
                Some(Value::Array(mut stream)) => entries(stream.pop()),
                _ => Err(strange()),
            },
            _ => Err(strange()),
        }
    }

    /// Whether the entry at a place is still there: if not, the log is not the one that was read.
    pub(super) async fn holds(&mut self, place: &str) -> Result<bool, Fault> {
        let mut range = cmd("XRANGE");
        range.arg(&self.stream).arg(place).arg(place);
        Ok(!entries(Some(range.query_async(&mut self.connection).await?))?.is_empty())
    }

    /// Writes entries at the end.
    pub(super) async fn append(&mut self, revocations: &[Revocation]) -> Result<(), Fault> {
        for batch in revocations.chunks(BATCH) {
            let mut pipeline = redis::pipe();
            for revocation in batch {
                pipeline
                    .cmd("XADD")
                    .arg(&self.stream)
                    .arg("*")
                    .arg(record::fields(revocation))
                    .ignore();
            }
            pipeline.query_async::<()>(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Deletes what ended a day ago among the oldest entries, so that the log does not grow for
    /// ever.
    pub(super) async fn clean(&mut self, now: NumericDate) -> Result<(), Fault> {
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

    /// Deletes those of these entries that ended a day ago.
    pub(super) async fn delete_ended(
        &mut self,
        entries: &[LogEntry],
        now: NumericDate,
    ) -> Result<(), Fault> {
        let ended = |entry: &&LogEntry| {
            entry
                .revocation
                .is_ok_and(|revocation| now.since(revocation.until()) > DELETED_AFTER)
        };
        let ids: Vec<&str> = entries
            .iter()
            .filter(ended)
            .map(|entry| entry.id.as_str())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        Ok(cmd("XDEL")
            .arg(&self.stream)
            .arg(ids)
            .query_async(&mut self.connection)
            .await?)
    }

    /// Takes or extends the right to restore the log, for some seconds. Answers whether it was to
    /// be had.
    pub(super) async fn take_turn(&mut self, name: &str, extend: bool) -> Result<bool, Fault> {
        let mut set = cmd("SET");
        set.arg(self.turn())
            .arg(name)
            .arg("PX")
            .arg(10_000)
            .arg(if extend { "XX" } else { "NX" });
        let answer: Value = set.query_async(&mut self.connection).await?;
        Ok(answer == Value::Okay)
    }

    pub(super) async fn end_turn(&mut self) -> Result<(), Fault> {
        Ok(cmd("DEL")
            .arg(self.turn())
            .query_async(&mut self.connection)
            .await?)
    }

    fn turn(&self) -> String {
        format!("{}:restoring", self.stream)
    }
}

/// The entries of an answer. What is no revocation is an entry too: its place counts.
fn entries(answer: Option<Value>) -> Result<Vec<LogEntry>, Fault> {
    let Some(Value::Array(entries)) = answer else {
        return Err(strange());
    };
    entries
        .iter()
        .map(entry)
        .collect::<Option<_>>()
        .ok_or_else(strange)
}

fn entry(value: &Value) -> Option<LogEntry> {
    let Value::Array(parts) = value else {
        return None;
    };
    let [Value::BulkString(id), Value::Array(fields)] = parts.as_slice() else {
        return None;
    };
    let fields = fields.iter().map(|field| match field {
        Value::BulkString(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    let fields: Vec<&[u8]> = fields.collect::<Option<_>>()?;
    Some(LogEntry {
        id: String::from_utf8(id.clone()).ok()?,
        revocation: record::parse(&fields),
    })
}

fn strange() -> Fault {
    Fault("it answers as no Redis does".to_owned())
}

/// The client's own words, and what the server says, escaped and cut.
impl From<RedisError> for Fault {
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
