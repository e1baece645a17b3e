//! `raw-http1.json`: framing, hosts and field syntax, as bytes on a connection.
//!
//! Behind the bytes of each row comes another request, which asks for the connection to be closed:
//! so a connection that should have been closed before is found out, and one that goes on is seen
//! to be in step.

use crate::client::statuses;
use crate::world::World;
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
[[route]]
path = "/public/**"
access = "public"
"#;

const BEHIND: &str = "GET /public/behind HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn no_bytes_are_read_in_two_ways() {
    let text = include_str!("../../../../conformance/corpus/raw-http1.json");
    let corpus: Corpus = serde_json::from_str(text).unwrap();
    assert!(corpus.vectors.len() >= 98);
    let mut judging = JoinSet::new();
    for vectors in corpus.vectors.chunks(10) {
        let vectors = vectors.to_vec();
        judging.spawn(async move {
            let world = World::new(SETTINGS).await;
            let mut faults = Vec::new();
            for vector in vectors {
                faults.extend(
                    judged(&world, &vector)
                        .await
                        .map(|fault| format!("{}: {fault}", vector.id)),
                );
            }
            faults
        });
    }
    let faults: Vec<String> = judging.join_all().await.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is wrong with what became of a row, if anything.
async fn judged(world: &World, vector: &Vector) -> Option<String> {
    let answer = world
        .client()
        .raw(format!("{}{BEHIND}", vector.raw).as_bytes())
        .await;
    let statuses = statuses(&answer);
    let saw = world.upstream.saw();
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
    if whole.len() != statuses.iter().filter(|status| **status == 200).count() {
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
