//! Where audit records go: a bounded queue, and one thread that writes.
//!
//! A request never waits for it. When nobody takes the records in time they are dropped, counted,
//! and the log says how many; so the place should be one that keeps up. A record is written at once
//! where it comes alone; those that come in the next few milliseconds are written together, so that
//! a busy gateway does not wake the thread for each.

use super::record::{Privacy, Record, Subject};
use crate::decision::policy::RouteDecision;
use crate::request::incoming::IncomingRequest;
use crate::settings::{Destination, LogSettings, SubjectSetting};
use aws_lc_rs::{hmac, rand};
use metrics::Counter;
use portcullis_core::token::NumericDate;
use portcullis_core::{ConfigError, ConfigErrors};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// How many records wait to be written at most.
const QUEUE: usize = 4_096;
/// How long more of them are waited for after some were written.
const GATHERING: Duration = Duration::from_millis(5);
/// How long an end of the gateway waits for them.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// The door to the audit records.
pub(crate) struct Audit {
    queue: SyncSender<Message>,
    lost: Arc<AtomicU64>,
    dropped: Counter,
    privacy: Privacy,
    json: bool,
}

enum Message {
    Line(Vec<u8>),
    /// The file was moved away: begin a new one.
    Reopen,
    Flush(oneshot::Sender<()>),
}

impl Audit {
    /// Opens the place, and begins to write. `None` where no records are wanted.
    pub(crate) fn open(log: &LogSettings, dropped: Counter) -> Result<Option<Self>, ConfigErrors> {
        let out = match &log.audit {
            Destination::None => return Ok(None),
            Destination::Stdout => Out::Stdout,
            Destination::File(path) => Out::File(
                path.clone(),
                append(path).map_err(|it| unusable(path, &it))?,
            ),
        };
        let lost = Arc::<AtomicU64>::default();
        let (queue, messages) = sync_channel(QUEUE);
        let writer = Writer {
            out,
            lost: Arc::clone(&lost),
            dropped: dropped.clone(),
        };
        let thread = thread::Builder::new().name("audit".to_owned());
        thread
            .spawn(move || writer.run(&messages))
            .map_err(|error| {
                let problem = format!("the thread that writes records cannot start: {error}");
                ConfigError::wrong("log.audit", problem).help("raise the limit of threads")
            })?;
        let stdout = log.audit == Destination::Stdout;
        let json = log.format.is_json(stdout && io::stdout().is_terminal());
        let privacy = Privacy {
            subject: subject(&log.audit_subject)?,
            peer: log.audit_peer,
        };
        Ok(Some(Self {
            queue,
            lost,
            dropped,
            privacy,
            json,
        }))
    }

    /// Writes a decision down, or counts that it could not be.
    pub(crate) fn write(
        &self,
        now: NumericDate,
        request: &IncomingRequest<'_>,
        decision: &RouteDecision<'_>,
        took: Duration,
    ) {
        let record = Record::new(now, request, decision, took, &self.privacy);
        let line = if self.json {
            record.json()
        } else {
            record.text()
        };
        self.put(line);
    }

    fn put(&self, line: Vec<u8>) {
        if self.queue.try_send(Message::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.dropped.increment(1);
        }
    }

    /// Begins the file anew, if it is one: after `logrotate` moved it.
    pub(crate) fn reopen(&self) {
        // A full queue is written to the old file; the next signal comes with the next rotation.
        _ = self.queue.try_send(Message::Reopen);
    }

    /// Waits until what is in the queue is written, but not for ever.
    pub(crate) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        let mut message = Message::Flush(done);
        let waiting = async {
            while let Err(TrySendError::Full(back)) = self.queue.try_send(message) {
                message = back;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            written.await
        };
        if tokio::time::timeout(LAST_WAIT, waiting).await.is_err() {
            tracing::warn!("audit records were not written in time");
        }
    }
}

fn subject(setting: &SubjectSetting) -> Result<Subject, ConfigErrors> {
    let key = |bytes: &[u8]| Subject::Hashed(Box::new(hmac::Key::new(hmac::HMAC_SHA256, bytes)));
    match setting {
        SubjectSetting::Plain => Ok(Subject::Plain),
        SubjectSetting::None => Ok(Subject::Left),
        SubjectSetting::Hashed(None) => {
            let mut bytes = [0; 32];
            rand::fill(&mut bytes).map_err(|_| {
                let problem = "this machine gives no random numbers for a key";
                ConfigError::wrong("log.audit_subject", problem).help("name a key in `audit_key`")
            })?;
            Ok(key(&bytes))
        }
        SubjectSetting::Hashed(Some(path)) => match std::fs::read(path) {
            Ok(bytes) if bytes.len() >= 16 => Ok(key(&bytes)),
            Ok(_) => Err(unusable(
                path,
                &io::Error::other("it has less than 16 bytes"),
            )),
            Err(error) => Err(unusable(path, &error)),
        },
    }
}

/// Opens the file for records at its end. A new one is for its owner alone: it tells who called.
/// One that is there keeps its mode, which may be meant for whoever collects records.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    warn_if_open_to_others(path, &file);
    Ok(file)
}

#[cfg(unix)]
fn warn_if_open_to_others(path: &Path, file: &File) {
    use std::os::unix::fs::MetadataExt as _;
    const WRITTEN_BY_GROUP_OR_OTHERS_READ: u32 = 0o027;
    let Ok(found) = file.metadata() else { return };
    let mode = found.mode() & 0o777;
    // Devices and pipes are for whoever takes what is written.
    if found.is_file() && mode & WRITTEN_BY_GROUP_OR_OTHERS_READ != 0 {
        tracing::warn!(
            facts = format_args!("{} has the mode {mode:04o}", path.display()),
            cure = "give it the mode 0600 or for a group that collects records 0640",
            "others than its owner can read or change the audit file"
        );
    }
}

fn unusable(path: &Path, error: &io::Error) -> ConfigErrors {
    let problem = format!("{}: {error}", path.display());
    let help = "see that its folder is there, and that this process may use it";
    ConfigError::wrong("log", problem).help(help).into()
}

/// Where lines go.
enum Out {
    Stdout,
    File(PathBuf, File),
}

struct Writer {
    out: Out,
    lost: Arc<AtomicU64>,
    dropped: Counter,
}

impl Writer {
    /// Writes until the last door is closed: what is there at once, then it waits for more.
    fn run(mut self, messages: &Receiver<Message>) {
        let (mut lines, mut count) = (Vec::new(), 0);
        while let Ok(message) = messages.recv() {
            let mut next = Some(message);
            let mut flushed = Vec::new();
            while let Some(message) = next {
                match message {
                    Message::Line(line) => {
                        lines.extend_from_slice(&line);
                        count += 1;
                    }
                    Message::Reopen => {
                        self.put(&mut lines, &mut count);
                        self.reopen();
                    }
                    Message::Flush(done) => flushed.push(done),
                }
                next = match messages.try_recv() {
                    Ok(message) if lines.len() < 65_536 => Some(message),
                    Ok(Message::Line(line)) => {
                        self.put(&mut lines, &mut count);
                        Some(Message::Line(line))
                    }
                    Ok(message) => Some(message),
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
                };
            }
            self.put(&mut lines, &mut count);
            // Who waited may be gone.
            flushed.into_iter().for_each(|done| _ = done.send(()));
            thread::sleep(GATHERING);
        }
    }

    fn put(&mut self, lines: &mut Vec<u8>, count: &mut u64) {
        let written = match &mut self.out {
            Out::Stdout => io::stdout()
                .lock()
                .write_all(lines)
                .and_then(|()| io::stdout().flush()),
            Out::File(_, file) => file.write_all(lines),
        };
        if let Err(error) = written {
            self.dropped.increment(*count);
            tracing::error!(%error, dropped = *count, "audit records could not be written");
        }
        let dropped = self.lost.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::error!(
                dropped,
                "audit records were lost: they are not taken as fast as they come"
            );
        }
        lines.clear();
        *count = 0;
    }

    fn reopen(&mut self) {
        let Out::File(path, file) = &mut self.out else {
            return;
        };
        match append(path) {
            Ok(new) => *file = new,
            Err(error) => {
                tracing::error!(%error, "the audit file cannot be begun anew: the one before stays \
                    in use");
            }
        }
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit")
            .field("json", &self.json)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    /// Nobody takes the records: the queue fills up, and the rest is counted, without a wait.
    #[test]
    fn what_nobody_takes_is_counted_and_holds_up_nothing() {
        let (queue, untaken) = sync_channel(2);
        let (lost, count) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let privacy = Privacy {
            subject: Subject::Plain,
            peer: true,
        };
        let dropped = Counter::from_arc(Arc::clone(&count));
        let audit = Audit {
            queue,
            lost: Arc::clone(&lost),
            dropped,
            privacy,
            json: true,
        };
        for _ in 0..5 {
            audit.put(b"{}\n".to_vec());
        }
        assert_eq!(
            (lost.load(Ordering::Relaxed), count.load(Ordering::Relaxed)),
            (3, 3)
        );
        assert_eq!(untaken.try_iter().count(), 2);
    }
}
