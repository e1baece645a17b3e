//! Processes: started, signalled, measured from `/proc`, and killed when they are dropped.

use std::fs::{File, read_dir, read_to_string};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A server under test.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a program, on this core alone if one is named; what it says goes to a file.
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        core: Option<usize>,
        log: &Path,
    ) -> Self {
        let mut command = match core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(program);
                command
            }
            None => Command::new(program),
        };
        let log = File::create(log).unwrap();
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        Self(
            command
                .spawn()
                .unwrap_or_else(|error| panic!("{}: {error}", program.display())),
        )
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    pub(crate) fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// The memory that is resident, in kilobytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or_default()
    }

    /// How many descriptors are open.
    pub(crate) fn descriptors(&self) -> u64 {
        read_dir(format!("/proc/{}/fd", self.0.id())).map_or(0, |open| open.count() as u64)
    }

    /// The processor time of all its threads so far.
    pub(crate) fn processor_time(&self) -> Duration {
        let threads = read_dir(format!("/proc/{}/task", self.0.id()))
            .unwrap()
            .flatten();
        let nanoseconds = threads.filter_map(|thread| {
            let text = read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// The optimised command that `cargo xtask` has built.
pub(crate) fn portcullis() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("release/portcullis")
}

/// An empty folder of this run's.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// An address that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// Waits until a server answers this with 200; fails after ten seconds.
pub(crate) async fn answers(url: &str) {
    for _ in 0..200 {
        if reqwest::get(url)
            .await
            .is_ok_and(|response| response.status() == 200)
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{url} does not answer 200");
}
