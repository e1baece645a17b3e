//! A real redis-server of our own: started on a free port, killed, and started again.
//!
//! `PORTCULLIS_REDIS_SERVER` names the program; `cargo xtask test` installs it. Without it these
//! tests say that they are skipped. Valkey's program does as well.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A running server with its data folder. It is killed when it is dropped, also when a test fails.
pub(crate) struct Redis {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Redis {
    /// A server that writes each command to its disk before it answers.
    pub(crate) async fn start() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Some(program) = std::env::var_os("PORTCULLIS_REDIS_SERVER") else {
            // Past the test runner, which keeps what passing tests print.
            _ = std::io::Write::write_all(
                &mut std::io::stdout(),
                b"skipped: no redis-server; `cargo xtask test` installs it\n",
            );
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("portcullis-redis-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut redis = Self {
            program: program.into(),
            folder,
            port,
            child: None,
        };
        redis.start_again().await;
        Some(redis)
    }

    pub(crate) async fn start_again(&mut self) {
        let port = self.port.to_string();
        let child = Command::new(&self.program)
            .args([
                "--port",
                &port,
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "yes",
            ])
            .args([
                "--appendfsync",
                "always",
                "--loglevel",
                "warning",
                "--requirepass",
                PASSWORD,
            ])
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let up = async {
            while self.ask(&["PING"]).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), up)
            .await
            .unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Takes away what is on its disk, as a restart without persistence does.
    pub(crate) fn lose_data(&self) {
        assert!(self.child.is_none());
        std::fs::remove_dir_all(&self.folder).unwrap();
        std::fs::create_dir_all(&self.folder).unwrap();
    }

    /// Stops the process without closing its connections, or lets it go on.
    pub(crate) fn pause(&self, paused: bool) {
        let id = self.child.as_ref().unwrap().id().to_string();
        let signal = if paused { "-STOP" } else { "-CONT" };
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Sends a command as anybody could.
    pub(crate) async fn ask(&self, command: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd(command[0])
            .arg(&command[1..])
            .query_async(&mut connection)
            .await
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Marked, so that its appearance anywhere would be found.
pub(crate) const PASSWORD: &str = "marked-store-password";
