//! A program that is given a command a line and answers a line, both in JSON: the browser, and the
//! transmitter that is not ours.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// It ends when this is dropped.
pub(crate) struct Script {
    child: Child,
    lines: UnboundedReceiver<String>,
}

impl Script {
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        folder: &Path,
        variables: &[(&str, &str)],
    ) -> Self {
        let child = Command::new(program)
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // The provider warns of every shortcut that a test takes.
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = unbounded_channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> Value {
        let line = self.lines.recv().await;
        serde_json::from_str(&line.expect("the program to go on")).unwrap()
    }

    /// Gives a command with these members.
    pub(crate) async fn ask(&mut self, name: &str, members: Value) -> Value {
        let mut command = json!({ "do": name });
        let members = members.as_object().unwrap().clone();
        command.as_object_mut().unwrap().extend(members);
        let line = format!("{command}\n");
        let commands = self.child.stdin.as_mut().unwrap();
        commands.write_all(line.as_bytes()).unwrap();
        let answer = self.line().await;
        assert!(answer.get("error").is_none(), "{command}: {answer}");
        answer
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
