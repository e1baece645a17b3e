//! Clients of other people, in JavaScript and Python, with bound tokens of both providers: what
//! they do is taken, and what somebody in their place does is refused, in the same words everywhere.

use super::doors::{Door, Doors};
use super::peers::answer_to;
use super::{Folder, TokenSource};
use crate::e2e::process::free_port;
use crate::tally::Tally;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio::process::Command;

/// What one attempt led to.
struct Attempt {
    client: String,
    door: String,
    what: String,
    status: u64,
    code: String,
    requests: u64,
}

impl Attempt {
    fn read(line: &str) -> Self {
        let row: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        Self {
            client: text("client"),
            door: text("door"),
            what: text("attempt"),
            status: row["status"].as_u64().unwrap(),
            code: text("code"),
            requests: row["requests"].as_u64().unwrap(),
        }
    }

    /// How many requests it takes: a nonce is learned once, by a refusal.
    fn requests_expected(&self, doors: &[Door]) -> u64 {
        let door = doors
            .iter()
            .find(|door| door.name == self.door)
            .unwrap();
        let is_first = matches!(self.what.as_str(), "good" | "another key");
        match self.what.as_str() {
            "replayed" => 2,
            _ if is_first && door.nonces => 2,
            _ => 1,
        }
    }
}

/// Runs a program of calls with the tokens of every source, and holds each answer to the table.
async fn run(
    suite: &'static str,
    mut program: impl FnMut() -> Command,
    sources: &[TokenSource],
    rows: usize,
) {
    let mut tally = Tally::new(suite);
    for source in sources {
        let folder = Folder::new("bound-clients", free_port());
        let doors = Doors::new(&source.settings(&folder)).await;
        let described: Vec<Value> = doors.all.iter().map(Door::described).collect();
        let told =
            json!({ "issuer": source.issuer, "resource": source.resource, "doors": described });
        let attempts = attempts(program().arg(told.to_string())).await;
        assert_eq!(attempts.len(), rows, "{}", source.name);
        for attempt in &attempts {
            let (status, code) = answer_to(&attempt.what);
            let found = (attempt.status, attempt.code.as_str(), attempt.requests);
            let expected = (status, code, attempt.requests_expected(&doors.all));
            let Attempt {
                client, door, what, ..
            } = attempt;
            let id = format!(
                "{} {:?}: {client} at {door}: {what}",
                source.name, source.format
            );
            tally.count(&id, found == expected, || {
                format!("{found:?}, not {expected:?}")
            });
        }
    }
    tally.finish(rows);
}

async fn attempts(program: &mut Command) -> Vec<Attempt> {
    let output = program.kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(120), output)
        .await
        .unwrap()
        .unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
    let told = String::from_utf8(output.stdout).unwrap();
    told.lines().map(Attempt::read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_in_javascript_get_in_and_nobody_in_their_place() {
    let Some(folder) = std::env::var_os("PORTCULLIS_OPENID_CLIENT") else {
        crate::tally::skipped("npm openid-client is not installed; `cargo xtask test` does it");
        return;
    };
    let program = || {
        let mut node = Command::new("node");
        node.arg("bound.mjs").current_dir(&folder);
        node
    };
    // Three clients: eight attempts at each of four doors, and three more kinds of keys.
    let sources = TokenSource::all().await;
    run("bound tokens, JavaScript", program, &sources, 105).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_in_python_get_in_and_nobody_in_their_place() {
    let Some(bin) = std::env::var_os("PORTCULLIS_PYTHON").map(PathBuf::from) else {
        crate::tally::skipped(
            "PyPI pydpop and joserfc are not installed; `cargo xtask test` does it",
        );
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/proofs/bound.py");
    let program = || {
        let mut python = Command::new(bin.join("python"));
        python.args(["-B", script]);
        python
    };
    // Two makers of proofs: eight attempts at each of four doors, and two names of Ed25519.
    let sources = TokenSource::all().await;
    run("bound tokens, Python", program, &sources, 66).await;
}
