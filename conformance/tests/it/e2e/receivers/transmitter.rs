//! The transmitter of security events that is not ours: `conformance/e2e/transmitter`, in Python
//! over joserfc.

use crate::e2e::recipes::installed;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

pub(super) const AUDIENCE: &str = "https://api.example/events";

/// What polls of it and requests to manage its stream must carry.
pub(super) const SECRET: &str = "transmitter-secret";

/// A running transmitter. It ends when this is dropped.
pub(super) struct Transmitter {
    pub(super) issuer: String,
    _child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Transmitter {
    /// Starts it; none where its Python is not installed.
    pub(super) async fn start(algorithm: &str) -> Option<Self> {
        let python = installed("PORTCULLIS_PYTHON", "python")?;
        let settings = json!({ "audience": AUDIENCE, "algorithm": algorithm, "secret": SECRET });
        let mut command = Command::new(python);
        command
            // The older name of Ed25519 is meant: few libraries know the newer one.
            .args(["-B", "-W", "ignore:EdDSA is deprecated"])
            .args(["transmitter.py", &settings.to_string()])
            .current_dir(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut transmitter = Self {
            issuer: String::new(),
            _child: child,
            commands,
            answers,
        };
        let listening = transmitter.answer().await;
        listening["issuer"]
            .as_str()
            .unwrap()
            .clone_into(&mut transmitter.issuer);
        Some(transmitter)
    }

    /// Gives a command, with the members of an event on top.
    pub(super) async fn ask(&mut self, name: &str, members: Value) -> Value {
        let mut command = json!({ "do": name });
        let members = members.as_object().unwrap().clone();
        command.as_object_mut().unwrap().extend(members);
        let line = format!("{command}\n");
        self.commands.write_all(line.as_bytes()).await.unwrap();
        let answer = self.answer().await;
        assert!(answer.get("error").is_none(), "{command}: {answer}");
        answer
    }

    async fn answer(&mut self) -> Value {
        let line = self.answers.next_line().await.unwrap();
        serde_json::from_str(&line.expect("the transmitter to go on")).unwrap()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/transmitter")
}
