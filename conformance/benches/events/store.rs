//! A real redis-server: killed, and started again with or without what it held.

use crate::process::{Process, Usage, folder, free_port};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a server still has after `kill -9`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// Nothing.
    None,
    /// What was there at the last of the snapshots that are made every few seconds.
    Snapshots,
    /// Every command (`appendonly`).
    Log,
}

pub(crate) struct Redis {
    program: PathBuf,
    folder: PathBuf,
    persistence: Persistence,
    pub(crate) port: u16,
    process: Option<Process>,
}

impl Persistence {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "snapshots" => Some(Self::Snapshots),
            "log" => Some(Self::Log),
            _ => None,
        }
    }

    fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::None => ["--save", "", "--appendonly", "no"],
            Self::Snapshots => ["--save", "3 1", "--appendonly", "no"],
            Self::Log => ["--save", "", "--appendonly", "yes"],
        }
    }
}

impl Redis {
    pub(crate) async fn start(program: PathBuf, persistence: Persistence) -> Self {
        let mut redis = Self {
            program,
            folder: folder("events-redis"),
            persistence,
            port: free_port(),
            process: None,
        };
        redis.start_again().await;
        redis
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    pub(crate) async fn start_again(&mut self) {
        let port = self.port.to_string();
        let fixed = ["--port", &port, "--bind", "127.0.0.1"];
        let arguments = fixed
            .iter()
            .chain(&self.persistence.arguments())
            .map(|argument| (*argument).to_owned())
            .collect::<Vec<_>>();
        let log = "redis.txt";
        self.process = Some(Process::start(&self.program, &arguments, &self.folder, log));
        // It listens before it has read its file, and answers with an error until then.
        while self.ask("PING").await.as_deref() != Some("+PONG") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The first line of what it answers to a command without odd characters.
    pub(crate) async fn ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))
            .await
            .ok()?;
        let request = format!("{command}\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut bytes = [0; 256];
        let read = stream.read(&mut bytes).await.ok()?;
        let text = String::from_utf8_lossy(&bytes[..read]);
        text.lines().next().map(str::to_owned)
    }

    /// How many entries its log has.
    pub(crate) async fn entries(&self) -> usize {
        let answer = self.ask("XLEN portcullis:revocations").await;
        let number = answer
            .as_deref()
            .and_then(|text| text.strip_prefix(':'));
        number
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    }

    pub(crate) fn usage(&self) -> Usage {
        self.process
            .as_ref()
            .map(Process::usage)
            .unwrap_or_default()
    }
}
