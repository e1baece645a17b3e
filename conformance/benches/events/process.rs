//! A process: started, killed at once, and measured from `/proc`.

use std::fs::{OpenOptions, read_dir, read_to_string};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running program. It is killed when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it; what it says is written to the end of a file.
    pub(crate) fn start(program: &Path, arguments: &[String], folder: &Path, log: &str) -> Self {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join(log));
        let log = log.unwrap();
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Self(child.unwrap_or_else(|error| panic!("{}: {error}", program.display())))
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage::of(self.0.id())
    }
}

impl Drop for Process {
    /// `kill -9`.
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// What a process has cost so far.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) processor: Duration,
    /// The memory that is resident, in kilobytes.
    pub(crate) resident: u64,
}

impl Usage {
    pub(crate) fn here() -> Self {
        Self::of(std::process::id())
    }

    fn of(id: u32) -> Self {
        let status = read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|line| line.split_whitespace().next()?.parse().ok());
        let threads = read_dir(format!("/proc/{id}/task"));
        let threads = threads.into_iter().flatten().flatten();
        let nanoseconds = threads.filter_map(|thread| {
            let text = read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        Self {
            processor: Duration::from_nanos(nanoseconds.sum()),
            resident: resident.unwrap_or_default(),
        }
    }
}

/// An empty folder of this run's.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// How busy the machine was in the last minute, by everything on it.
pub(crate) fn load_average() -> String {
    let text = read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
