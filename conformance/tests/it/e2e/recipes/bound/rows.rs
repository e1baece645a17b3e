//! `dpop-proofs.json` through real programs in front, which ask a gateway at the corpus' moment. The
//! URL of a request is what the program says: no setting names it.

use super::Front;
use super::peers::{Connection, Request};
use portcullis_core::Limits;
use portcullis_core::jose::Jwks;
use portcullis_core::token::NumericDate;
use portcullis_gateway::{Config, Gateway, Settings};
use portcullis_resource_server::clock::TestClock;
use portcullis_testkit::NOW;
use portcullis_testkit::corpus::{document, rows};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Runs a gateway with the door of these tables, at the corpus' moment and with its keys.
pub(super) async fn gateway(tables: &str) -> JoinSet<()> {
    let tokens = document("access-tokens.json");
    let issuer = &tokens["configurations"]["default"]["issuers"][0];
    let (url, audiences) = (&issuer["issuer"], &issuer["audiences"]);
    let text = format!(
        "[[issuer]]\nurl = {url}\naudience = {audiences}\nprofile = \"rfc9068\"\n\
         [dpop]\nalgorithms = [\"ES256\", \"EdDSA\"]\n[log]\naudit = \"none\"\n{tables}"
    );
    let url = url.as_str().unwrap();
    let keys = json!({ "keys": tokens["jwks"][url] }).to_string();
    let keys = Jwks::parse(keys.as_bytes(), &Limits::default()).unwrap();
    let settings = Config::from_toml(&text).and_then(Settings::try_from);
    let settings = settings.unwrap().with_fixed_keys_of(url, &keys);
    let clock = TestClock::at(NumericDate::from_seconds(NOW));
    let gateway = Gateway::bind_with_clock(settings, Arc::new(clock)).await;
    let mut running = JoinSet::new();
    running.spawn(gateway.unwrap().run(std::future::pending()));
    running
}

impl Front<'_> {
    /// Sends every row that such a gateway can be asked about. `own` are the rows that the program
    /// refuses by itself.
    pub(super) async fn send_rows(&self, own: &[&str]) {
        self.peers.wait_for(self.world.front).await;
        let document = document("dpop-proofs.json");
        let (mut sent, mut refused, mut faults) = (0, Vec::new(), Vec::new());
        for row in rows(&document) {
            let id = row["id"].as_str().unwrap();
            let url = row["request"]["url"].as_str().unwrap();
            // Nonces of the corpus are no nonces of ours, and the program has one name.
            let Some(target) = url.strip_prefix("https://api.example") else {
                continue;
            };
            if row["config"].is_string() {
                continue;
            }
            let request = Request {
                method: row["request"]["method"].as_str().unwrap(),
                target,
                lines: &lines(&document["tokens"], row),
            };
            let peers = self.peers;
            let answer = peers.ask(self.world.front, &Connection::Bare, &request);
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    faults.push(format!("{id}: {error}"));
                    continue;
                }
            };
            sent += 1;
            let got = self.world.taken().len();
            // An escaped slash is refused before any proof, unless its route keeps it.
            let is_path = id == "htu-reserved-encoding-case";
            let is_ours = answer
                .body
                .contains(if is_path { "request.path" } else { "proof." });
            let is_own = !is_ours && got == 0 && (400..500).contains(&answer.status);
            let passes = (answer.status, got) == (200, 1);
            let status = if is_path { 400 } else { 401 };
            let is_refused = answer.status == status && is_ours && got == 0;
            if is_own {
                println!("{id}: {} {:.60}", answer.status, answer.body);
                refused.push(id);
                continue;
            }
            let right = match row["expect"].as_str().unwrap() {
                "accept" | "should-accept" if !is_path => passes,
                "reject" => is_refused,
                _ => passes || is_refused,
            };
            if !right {
                faults.push(format!("{id}: {got} got to the API: {answer:?}"));
            }
        }
        println!(
            "dpop-proofs: {sent} rows, {} refused by the program itself: {refused:?}",
            refused.len()
        );
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert_eq!((sent, &*refused), (149, own));
    }
}

fn lines(tokens: &Value, row: &Value) -> Vec<String> {
    let request = &row["request"];
    let token = tokens[request["token"].as_str().unwrap()]
        .as_str()
        .unwrap();
    let scheme = request["authorization_scheme"].as_str().unwrap();
    let mut lines = vec![format!("Authorization: {scheme} {token}")];
    for proof in request["dpop"].as_array().unwrap() {
        lines.push(format!("DPoP: {}", proof.as_str().unwrap()));
    }
    for pair in row["extra_headers"].as_array().into_iter().flatten() {
        lines.push(format!(
            "{}: {}",
            pair[0].as_str().unwrap(),
            pair[1].as_str().unwrap()
        ));
    }
    lines
}
