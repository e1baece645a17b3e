//! `raw-http1.json`: framing, hosts and field syntax, as bytes on a connection.
//!
//! Another request follows the bytes of each row, and asks to close the connection. It shows
//! whether the gateway closed the connection before, or is still in step.
//!
//! The authorization doors get the same bytes in the form of a question. They permit nothing that
//! the proxy refuses, and they read no more requests from the bytes than the proxy does.

use crate::client::{Client, statuses};
use crate::setup::TestSetup;
use portcullis_testkit::corpus;
use serde::Deserialize;
use tokio::task::JoinSet;

#[derive(Deserialize)]
struct Corpus {
    vectors: Vec<Vector>,
}

#[derive(Clone, Debug, Deserialize)]
struct Vector {
    id: String,
    raw: String,
    expect: String,
    status: Option<u16>,
    body: Option<String>,
    #[serde(default)]
    or_te_then_close: bool,
}

const SETTINGS: &str = r#"
hosts = ["gw.example"]
timeouts = { head = 1, body = 1 }
[forward_auth]
listen = "127.0.0.1:0"
proxy = "nginx"
trusted_peers = ["127.0.0.1"]
[ext_authz]
listen = "127.0.0.1:0"
path_prefix = "/check"
[[route]]
path = "/public/**"
access = "public"
"#;

const BEHIND: &str = "GET /public/behind HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn no_bytes_are_read_in_two_ways() {
    let corpus: Corpus = corpus::read("raw-http1.json");
    assert!(corpus.vectors.len() >= 98);
    let mut judging = JoinSet::new();
    for vectors in corpus.vectors.chunks(10) {
        let vectors = vectors.to_vec();
        judging.spawn(async move {
            let setup = TestSetup::new(SETTINGS).await;
            let mut faults = Vec::new();
            for vector in vectors {
                faults.extend(
                    judge(&setup, &vector)
                        .await
                        .map(|fault| format!("{}: {fault}", vector.id)),
                );
                let elsewhere = asked_elsewhere(&setup, &vector).await;
                faults.extend(
                    elsewhere
                        .into_iter()
                        .map(|fault| format!("{}: {fault}", vector.id)),
                );
            }
            faults
        });
    }
    let faults: Vec<String> = judging
        .join_all()
        .await
        .into_iter()
        .flatten()
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The fault of a row at the proxy, if there is one.
async fn judge(setup: &TestSetup, vector: &Vector) -> Option<String> {
    let answer = setup
        .client()
        .raw(format!("{}{BEHIND}", vector.raw).as_bytes())
        .await;
    let statuses = statuses(&answer);
    let saw = setup.upstream.take_requests();
    let whole: Vec<&str> = saw
        .iter()
        .filter(|saw| saw.whole)
        .map(|saw| saw.target.as_str())
        .collect();
    let told = format!("statuses {statuses:?}, upstream saw {saw:?}");
    if saw.iter().any(|saw| saw.target.contains("admin")) {
        return Some(format!("a protected path was reached: {told}"));
    }
    if saw
        .iter()
        .any(|saw| saw.headers.contains_key("x-auth-subject"))
    {
        return Some(format!("an identity was smuggled: {told}"));
    }
    if whole.len()
        != statuses
            .iter()
            .filter(|status| **status == 200)
            .count()
    {
        return Some(format!(
            "upstream requests are not the answered ones: {told}"
        ));
    }
    if vector.status.is_some() && statuses.first().copied() != vector.status {
        return Some(format!("not {:?}: {told}", vector.status));
    }
    let seen = saw
        .iter()
        .find(|saw| saw.whole)
        .map(|saw| String::from_utf8_lossy(&saw.body).into_owned());
    if vector.body.is_some() && seen != vector.body {
        return Some(format!("another body: {told}"));
    }
    let refused = statuses.first().is_none_or(|status| *status >= 400);
    let behind = whole.contains(&"/public/behind");
    let fits = match vector.expect.as_str() {
        "one-request" => whole.len() == 2 && behind,
        "reject" => refused && whole.iter().all(|target| *target == "/public/behind"),
        "reject-and-close" => {
            let by_coding = vector.or_te_then_close && whole.len() == 1;
            !behind && ((refused && saw.is_empty()) || by_coding)
        }
        "reject-in-the-body" => refused && whole.is_empty(),
        "no-smuggle" => whole.len() <= 2,
        other => panic!("{other}"),
    };
    (!fits).then(|| format!("not {}: {told}", vector.expect))
}

/// The faults of the other doors, compared with the proxy.
async fn asked_elsewhere(setup: &TestSetup, vector: &Vector) -> Vec<String> {
    let proxy = statuses(
        &setup
            .client()
            .raw(format!("{}{BEHIND}", vector.raw).as_bytes())
            .await,
    );
    setup.upstream.take_requests();
    let doors = [
        (
            "ext_authz",
            setup.ext_authz,
            Some(as_check(&vector.raw) + &as_check(BEHIND)),
        ),
        (
            "forward-auth",
            setup.forward_auth,
            as_question(&vector.raw)
                .zip(as_question(BEHIND))
                .map(|(a, b)| a + &b),
        ),
    ];
    let mut faults = Vec::new();
    for (door, address, bytes) in doors {
        let Some(bytes) = bytes else { continue };
        let told = statuses(
            &Client::new(address.unwrap())
                .raw(bytes.as_bytes())
                .await,
        );
        if let Some(fault) = beside(&proxy, &told, vector) {
            faults.push(format!("{door}: {fault}: {told:?}, by the proxy {proxy:?}"));
        }
    }
    faults
}

fn beside(proxy: &[u16], told: &[u16], vector: &Vector) -> Option<&'static str> {
    let is_leave = |statuses: &[u16]| {
        statuses
            .first()
            .is_some_and(|status| (200..300).contains(status))
    };
    let expect = vector.expect.as_str();
    // The decision is about the head, so the body of a question is not read. Nothing after a bad
    // body is read either.
    let by_body = expect == "reject-in-the-body" || vector.id.starts_with("chunk-");
    if !by_body && proxy.first().is_none_or(|status| *status >= 400) && is_leave(told) {
        return Some("leave for what the proxy refuses");
    }
    // After a refusal that keeps the connection, only the response to the following request comes.
    let most = if matches!(expect, "reject" | "no-smuggle") && !by_body {
        proxy.len().max(2)
    } else {
        proxy.len()
    };
    if told.len() > most {
        return Some("more requests than the proxy reads");
    }
    (expect == "one-request" && !is_leave(told)).then_some("no leave for a good request")
}

/// The bytes of a row as Envoy asks over HTTP: behind the prefix.
fn as_check(raw: &str) -> String {
    let path = if raw.contains("/public") {
        "/public"
    } else {
        "/admin"
    };
    raw.replacen(path, &format!("/check{path}"), 1)
}

/// The bytes of a row as nginx asks: the request line and the host in headers of their own. None
/// for a target with a host in it, which nginx reads itself.
fn as_question(raw: &str) -> Option<String> {
    let line = raw.trim_start().lines().next()?;
    let end = raw.find(line)? + line.len();
    let (line, rest) = raw.split_at(end + raw.split_at(end).1.find('\n')? + 1);
    let words: Vec<&str> = line.trim().split(' ').collect();
    let (method, target) = if words.len() == 3 {
        (words[0], words[1])
    } else {
        ("GET", "/public/a")
    };
    if target.starts_with("http://") {
        return None;
    }
    let told = format!(
        "X-Original-Method: {method}\r\nX-Original-URI: {target}\r\nX-Forwarded-Proto: https\r\n"
    );
    let (head, body) = rest.split_at(rest.find("\r\n\r\n").unwrap_or(rest.len()));
    let head = format!("{line}{told}{head}")
        .replace("\nHost: ", "\nHost: gw.example\r\nX-Forwarded-Host: ");
    Some(head + body)
}
