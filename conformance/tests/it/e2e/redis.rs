//! A real redis-server for the command: plain, or with TLS only.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server. It is killed when it is dropped, also when a test fails.
pub(crate) struct Redis {
    child: Child,
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
}

impl Redis {
    /// The program that `PORTCULLIS_REDIS_SERVER` names, with these arguments besides the port.
    pub(crate) fn start(name: &str, arguments: impl Fn(&Path, u16) -> Vec<String>) -> Option<Self> {
        let Some(program) = std::env::var_os("PORTCULLIS_REDIS_SERVER") else {
            crate::tally::skipped("no redis-server; `cargo xtask test` installs it");
            return None;
        };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // The port tells the servers of tests apart that run at the same time.
        let folder =
            std::env::temp_dir().join(format!("portcullis-{name}-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let child = Command::new(program)
            .args(["--bind", "127.0.0.1", "--save", "", "--loglevel", "warning"])
            .args(arguments(&folder, port))
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let redis = Self {
            child,
            folder,
            port,
        };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "the server to listen"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(redis)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        _ = std::fs::remove_dir_all(&self.folder);
    }
}
