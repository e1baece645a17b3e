//! The caller's address in the audit records, where the program in front is believed about it:
//! the one that this program saw, never one that the client wrote.

use super::setup::{RecipeSetup, eventually};
use super::wire;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpSocket;

/// The client, as the program in front sees it. It is no trusted proxy.
const CLIENT: &str = "127.0.0.2";

/// What a client may write to seem to be another one.
const FORGED: [&[&str]; 5] = [
    &[],
    &["X-Forwarded-For: 192.0.2.66"],
    &[
        "X-Forwarded-For: 192.0.2.66, 127.0.0.1",
        "X-Forwarded-For: 127.0.0.1",
    ],
    &["Forwarded: for=192.0.2.66", "X-Real-IP: 192.0.2.66"],
    &["X_Forwarded_For: 192.0.2.66", "Connection: X-Forwarded-For"],
];

/// A recipe whose program in front is believed about the caller, by this header.
pub(super) async fn believing(name: &str, settings: &str, header: &str) -> RecipeSetup {
    let to = format!(
        "[log]\nformat = \"json\"\naudit = \"{{folder}}/audit.log\"\n\
         [gateway]\ntrusted_proxies = [\"127.0.0.1\"]\n\
         client_address = {{ header = \"{header}\" }}\n[[route]]"
    );
    let name = format!("{name}-{}", header.to_ascii_lowercase());
    RecipeSetup::changed(&name, settings, "[[route]]", &to).await
}

/// Sends what a client may forge, and reads the caller in the records. `told`: whether the program
/// in front tells the caller in the header that the settings name.
pub(super) async fn forge(world: &RecipeSetup, told: bool) {
    let mut refused = 0;
    for forged in FORGED {
        let lines: Vec<String> = forged.iter().map(|line| (*line).to_owned()).collect();
        // A front may refuse one by itself; then there is no record.
        refused += usize::from(send(world.front, &lines).await == 401);
    }
    assert!(refused >= FORGED.len() - 1, "{refused}");
    eventually("the records", || records(world).len() == refused).await;
    let expected = if told {
        Value::from(CLIENT)
    } else {
        Value::Null
    };
    for record in records(world) {
        assert_eq!(record["peer"], expected, "{record}");
    }
}

/// The records of requests without a token.
fn records(world: &RecipeSetup) -> Vec<Value> {
    let text = std::fs::read_to_string(world.folder.join("audit.log"));
    let text = text.unwrap_or_default();
    let lines = text.lines();
    let records = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    records
        .filter(|record| record["code"] == "credential.missing")
        .collect()
}

/// The status of a request without a token, from the client's address.
async fn send(front: SocketAddr, lines: &[String]) -> u16 {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(format!("{CLIENT}:0").parse().unwrap())
        .unwrap();
    let stream = socket.connect(front).await.unwrap();
    let stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    let answer = wire::exchange(stream, "GET", "/protected-data", lines).unwrap();
    answer.status
}
