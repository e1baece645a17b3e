//! The audit log: a bounded queue, and one thread that writes.
//!
//! A request never waits for it. Records that the destination does not take in time are dropped and
//! counted, and the log says how many; so the destination has to keep up. A single record is
//! written at once. Those of the next few milliseconds are written together, so that a busy gateway
//! does not wake the thread for each.

use super::answer_record::AnswerRecord;
use super::event_record::EventRecord;
use super::record::{AuditRecord, Privacy, SubjectForm};
use super::response_record::ResponseRecord;
use crate::settings::{Destination, LogSettings, SubjectSetting};
use crate::transport::file_setting::cure_of_io;
use aws_lc_rs::{hmac, rand};
use metrics::Counter;
use portcullis_core::{ConfigError, ConfigErrors};
use rustix::fs::{Access, access};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// How many records wait to be written at most.
const QUEUE: usize = 4_096;
/// How many bytes are gathered before they are written.
const MOST_BYTES: usize = 65_536;
/// How long the thread gathers records after it wrote some.
const GATHERING: Duration = Duration::from_millis(5);
/// How long a gateway that stops waits for the last records.
const LAST_WAIT: Duration = Duration::from_secs(3);
/// A shorter key could be guessed, and then subjects too.
const LEAST_KEY_BYTES: usize = 16;

/// Takes audit records.
pub(crate) struct Audit {
    queue: SyncSender<Message>,
    lost: Arc<AtomicU64>,
    dropped: Counter,
    json: bool,
}

enum Message {
    Line(Vec<u8>),
    /// The file was moved away: begin a new one.
    Reopen,
    Flush(oneshot::Sender<()>),
}

impl Audit {
    /// Opens the destination, and begins to write. `None` if no records are wanted.
    pub(crate) fn open(log: &LogSettings, dropped: Counter) -> Result<Option<Self>, ConfigErrors> {
        let output = match &log.audit {
            Destination::None => return Ok(None),
            Destination::Stdout => AuditOutput::Stdout,
            Destination::File(path) => match append(path) {
                Ok(file) => AuditOutput::File(path.clone(), file),
                Err(error) => return Err(unusable(AUDIT, path, &error)),
            },
        };
        let is_terminal = matches!(output, AuditOutput::Stdout) && io::stdout().is_terminal();
        let lost = Arc::<AtomicU64>::default();
        let (queue, messages) = sync_channel(QUEUE);
        let writer = Writer {
            output,
            lost: Arc::clone(&lost),
            dropped: dropped.clone(),
            lines: Vec::new(),
            count: 0,
        };
        // A thread and not a task: writing to a file or a pipe blocks.
        let thread = thread::Builder::new().name("audit".to_owned());
        if let Err(error) = thread.spawn(move || writer.run(&messages)) {
            let problem = format!("cannot start a thread to write records: {error}");
            let help = "raise the limit of threads";
            return Err(ConfigError::wrong("log.audit", problem)
                .help(help)
                .into());
        }
        Ok(Some(Self {
            queue,
            lost,
            dropped,
            json: log.format.is_json(is_terminal),
        }))
    }

    /// Whether [`open`](Self::open) would find a file that takes records. Creates nothing.
    pub(crate) fn check(log: &LogSettings) -> Result<(), ConfigErrors> {
        match &log.audit {
            Destination::None | Destination::Stdout => Ok(()),
            Destination::File(path) => {
                let checked = check_writable(path);
                checked.map_err(|error| unusable(AUDIT, path, &error))
            }
        }
    }

    /// Queues the record of a decision, or counts that it is lost.
    pub(crate) fn write(&self, record: &AuditRecord<'_>) {
        let line = if self.json {
            record.json()
        } else {
            record.text()
        };
        self.put(line);
    }

    /// Queues the record of an event.
    pub(super) fn write_event(&self, record: &EventRecord<'_>) {
        self.put(match self.json {
            true => record.json(),
            false => record.text(),
        });
    }

    /// Queues the record of an answer that the gateway gave in place of the upstream.
    pub(super) fn write_answer(&self, record: &AnswerRecord<'_>) {
        self.put(match self.json {
            true => record.json(),
            false => record.text(),
        });
    }

    /// Queues the record of a response that was passed on.
    pub(super) fn write_response(&self, record: &ResponseRecord<'_>) {
        self.put(match self.json {
            true => record.json(),
            false => record.text(),
        });
    }

    fn put(&self, line: Vec<u8>) {
        // Never waits: a full disk must not stop the API.
        if self.queue.try_send(Message::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.dropped.increment(1);
        }
    }

    /// Opens the file again, after `logrotate` moved it.
    pub(crate) fn reopen(&self) {
        // If the queue is full, the old file stays in use until the next rotation.
        _ = self.queue.try_send(Message::Reopen);
    }

    /// Waits until the queue is written, within a timeout.
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
            tracing::warn!("timed out writing the last audit records");
        }
    }
}

impl Privacy {
    /// What the settings want shown of people, in records and in the log.
    pub(crate) fn read(log: &LogSettings) -> Result<Self, ConfigErrors> {
        Ok(Self {
            subject: read_subject(&log.audit_subject)?,
            peer: log.audit_peer,
        })
    }
}

fn read_subject(setting: &SubjectSetting) -> Result<SubjectForm, ConfigErrors> {
    match setting {
        SubjectSetting::Plain => Ok(SubjectForm::Plain),
        SubjectSetting::None => Ok(SubjectForm::Omitted),
        SubjectSetting::Hashed(None) => Ok(hash_with(&random_key()?)),
        SubjectSetting::Hashed(Some(path)) => match std::fs::read(path) {
            Ok(bytes) if bytes.len() >= LEAST_KEY_BYTES => Ok(hash_with(&bytes)),
            Ok(bytes) => {
                let count = bytes.len();
                let problem = format!("expected at least {LEAST_KEY_BYTES} bytes, found {count}");
                Err(unusable(AUDIT_KEY, path, &io::Error::other(problem)))
            }
            Err(error) => Err(unusable(AUDIT_KEY, path, &error)),
        },
    }
}

fn hash_with(key: &[u8]) -> SubjectForm {
    SubjectForm::Hashed(Box::new(hmac::Key::new(hmac::HMAC_SHA256, key)))
}

/// A key for this run only: hashes cannot be compared with those of another run.
fn random_key() -> Result<[u8; 32], ConfigError> {
    let mut bytes = [0; 32];
    if rand::fill(&mut bytes).is_err() {
        let problem = "the system gave no random bytes for a key";
        let help = "name a key in `audit_key`";
        return Err(ConfigError::wrong("log.audit_subject", problem).help(help));
    }
    Ok(bytes)
}

/// Opens the file for appending. Only its owner may read a new file: it says who called. An
/// existing one keeps its mode, which may be meant for a log collector.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    // At creation, not afterwards: in between, anybody could open it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    warn_if_open_to_others(path, &file);
    Ok(file)
}

/// Whether a file can be written to, or created.
pub(crate) fn check_writable(path: &Path) -> io::Result<()> {
    match path.metadata() {
        // To open a pipe would wait for its reader.
        Ok(found) if !found.is_file() && !found.is_dir() => Ok(()),
        Ok(_) => OpenOptions::new().append(true).open(path).map(drop),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            if !folder.metadata()?.is_dir() {
                return Err(ErrorKind::NotADirectory.into());
            }
            Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
        }
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn warn_if_open_to_others(path: &Path, file: &File) {
    use std::os::unix::fs::MetadataExt as _;
    const WRITTEN_BY_GROUP_OR_OTHERS_READ: u32 = 0o027;
    let Ok(found) = file.metadata() else { return };
    let mode = found.mode() & 0o777;
    // Devices and pipes have modes for their readers, so only regular files are checked.
    if found.is_file() && mode & WRITTEN_BY_GROUP_OR_OTHERS_READ != 0 {
        tracing::warn!(
            facts = format_args!("{} has mode {mode:04o}", path.display()),
            cure = "set its mode to 0600; with 0640 a group can collect the records",
            "the audit file is readable or writable by other users"
        );
    }
}

/// The setting of the file for records, and that of the key for subjects.
const AUDIT: &str = "log.audit";
const AUDIT_KEY: &str = "log.audit_key";

fn unusable(place: &str, path: &Path, error: &io::Error) -> ConfigErrors {
    let problem = format!("cannot use the file {}: {error}", path.display());
    let help = match error.kind() {
        ErrorKind::NotFound if place == AUDIT => {
            "create its folder, for the user of this process to write in"
        }
        ErrorKind::PermissionDenied if place == AUDIT => {
            "let the user of this process write the file, and in its folder"
        }
        ErrorKind::Other => "write a longer key: `head -c 32 /dev/urandom` makes one",
        _ => cure_of_io(error),
    };
    ConfigError::wrong(place, problem).help(help).into()
}

/// Where lines go.
enum AuditOutput {
    Stdout,
    File(PathBuf, File),
}

struct Writer {
    output: AuditOutput,
    lost: Arc<AtomicU64>,
    dropped: Counter,
    /// Gathered, but not written yet.
    lines: Vec<u8>,
    count: u64,
}

impl Writer {
    /// Writes until the last sender is dropped.
    fn run(mut self, messages: &Receiver<Message>) {
        while let Ok(message) = messages.recv() {
            let mut waiting = Vec::new();
            self.take(message, &mut waiting);
            while let Ok(message) = messages.try_recv() {
                self.take(message, &mut waiting);
            }
            self.write();
            for done in waiting {
                // The task that waited may have given up.
                _ = done.send(());
            }
            thread::sleep(GATHERING);
        }
    }

    fn take(&mut self, message: Message, waiting: &mut Vec<oneshot::Sender<()>>) {
        match message {
            Message::Line(line) => {
                // A busy gateway may never leave the queue empty, so memory needs a bound here.
                if self.lines.len() >= MOST_BYTES {
                    self.write();
                }
                self.lines.extend_from_slice(&line);
                self.count += 1;
            }
            Message::Reopen => {
                self.write();
                self.reopen();
            }
            Message::Flush(done) => waiting.push(done),
        }
    }

    fn write(&mut self) {
        if let Err(error) = self.output.write(&self.lines) {
            self.dropped.increment(self.count);
            tracing::error!(%error, dropped = self.count, "cannot write audit records");
        }
        let dropped = self.lost.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::error!(
                dropped,
                "audit records lost: the destination does not keep up"
            );
        }
        self.lines.clear();
        self.count = 0;
    }

    fn reopen(&mut self) {
        let AuditOutput::File(path, file) = &mut self.output else {
            return;
        };
        match append(path) {
            Ok(new) => *file = new,
            Err(error) => {
                tracing::error!(%error, "cannot reopen the audit file; the old one stays in use");
            }
        }
    }
}

impl AuditOutput {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(lines)?;
                stdout.flush()
            }
            Self::File(_, file) => file.write_all(lines),
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
    fn records_that_nobody_takes_are_counted_and_delay_nothing() {
        let (queue, untaken) = sync_channel(2);
        let (lost, count) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let dropped = Counter::from_arc(Arc::clone(&count));
        let audit = Audit {
            queue,
            lost: Arc::clone(&lost),
            dropped,
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
