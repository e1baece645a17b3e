//! Bound tokens through real programs in front, which end TLS: as those that ask, and as reverse
//! proxies before the gateway's own.
//!
//! Every program gives the same answers. Where one refuses a request by itself, the suite says so.

mod caddy;
mod envoy;
mod nginx;
mod peers;
mod rows;
mod traefik;

use super::setup::RecipeSetup;
use super::wire::Answer;
use peers::{Connection, Peers};
use portcullis_testkit::ProofKey;
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

/// A program in front, as it runs with TLS.
struct Front<'w> {
    world: &'w RecipeSetup,
    peers: &'w Peers,
    /// The header in which it tells certificates, and how it writes one.
    header: &'static str,
    write: fn(&Peers) -> String,
}

/// A request for which nobody needs a token, in the words of programs in front.
const OTHER_REQUEST: [&str; 4] = [
    "X-Forwarded-Uri: /public-data",
    "X-Forwarded-Method: GET",
    "X-Original-URI: /public-data",
    "X-Original-Method: GET",
];

/// The demand of nonces, for those that ask.
const NONCES: &str = "\n[dpop]\nnonces = true\n";

/// The table for a gateway behind a program that ends TLS.
const REVERSE: &str = r#"
[[issuer]]
url      = "https://idp.example.com"
audience = ["api://enterprise-api"]
[gateway]
listen          = "127.0.0.1:8081"
upstream        = "http://127.0.0.1:8000"
trusted_proxies = ["127.0.0.1"]
"#;

/// The door for a program that asks.
fn door(proxy: &str) -> String {
    format!(
        "[forward_auth]\nlisten = \"127.0.0.1:8081\"\nproxy = \"{proxy}\"\n\
         trusted_peers = [\"127.0.0.1\"]\n"
    )
}

impl Front<'_> {
    /// All calls. Each is answered as by the gateway itself, and the API gets only what may pass.
    async fn make(&self) {
        self.peers.wait_for(self.world.front).await;
        self.prove_keys();
        self.show_certificates();
    }

    /// DPoP (RFC 9449).
    fn prove_keys(&self) {
        let key = ProofKey::new();
        let token = self.token(json!({ "jkt": key.thumbprint() }));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();
        let url = "https://api.example/protected-data";
        let bound = format!("Authorization: DPoP {token}");
        let unaware = format!("DPoP: {}", key.sign(&key.claims("GET", url, &token, now)));
        let nonce = self.nonce(&[bound.clone(), unaware]);
        let claims = |key: &ProofKey, method: &str, url: &str| {
            let mut claims = key.claims(method, url, &token, now);
            if let Some(nonce) = &nonce {
                claims["nonce"] = nonce.as_str().into();
            }
            claims
        };
        let proof = |method: &str, url: &str| {
            let proof = key.sign(&claims(&key, method, url));
            format!("DPoP: {proof}")
        };
        let good = proof("GET", url);
        let other = ProofKey::new();
        let foreign = other.sign(&claims(&other, "GET", url));
        let calls: [(&str, Vec<String>, &str); 11] = [
            ("a good one", vec![bound.clone(), good.clone()], ""),
            (
                "a replay",
                vec![bound.clone(), good.clone()],
                "proof.replayed",
            ),
            (
                "another good one",
                vec![bound.clone(), proof("GET", url)],
                "",
            ),
            (
                "for another URL",
                vec![bound.clone(), proof("GET", "https://api.example/other")],
                "proof.url",
            ),
            (
                "for another host",
                vec![
                    bound.clone(),
                    proof("GET", "https://evil.example/protected-data"),
                ],
                "proof.url",
            ),
            (
                "for plain HTTP",
                vec![
                    bound.clone(),
                    proof("GET", "http://api.example/protected-data"),
                ],
                "proof.url",
            ),
            (
                "for another method",
                vec![bound.clone(), proof("POST", url)],
                "proof.method",
            ),
            (
                "of another key",
                vec![bound.clone(), format!("DPoP: {foreign}")],
                "proof.binding",
            ),
            ("none", vec![bound.clone()], "proof."),
            (
                "two",
                vec![bound, proof("GET", url), proof("GET", url)],
                "proof.header",
            ),
            (
                "a bearer",
                vec![format!("Authorization: Bearer {token}")],
                "proof.missing",
            ),
        ];
        for (name, lines, code) in calls {
            let answer = self
                .peers
                .send(self.world.front, &Connection::Bare, &lines);
            self.judge(name, &answer, code);
        }
    }

    /// The nonce that the answer to a proof without one tells, where nonces are demanded.
    fn nonce(&self, lines: &[String]) -> Option<String> {
        let answer = self
            .peers
            .send(self.world.front, &Connection::Bare, lines);
        if answer.status == 200 {
            self.judge("before any nonce", &answer, "");
            return None;
        }
        self.judge("without a nonce", &answer, "proof.nonce");
        let [nonce] = &*answer.values("dpop-nonce") else {
            panic!("not one nonce: {answer:?}");
        };
        Some((*nonce).to_owned())
    }

    /// Client certificates (RFC 8705).
    fn show_certificates(&self) {
        let peers = self.peers;
        let token = self.token(json!({ "x5t#S256": peers.thumbprint() }));
        let bearer = format!("Authorization: Bearer {token}");
        let plain = format!(
            "Authorization: Bearer {}",
            self.world.idp.token("bob").sign()
        );
        let forged = format!("{}: {}", self.header, (self.write)(peers));
        let respelled = forged.replacen('-', "_", 1);
        let named = format!("Connection: close, {}", self.header);
        let own = || vec![bearer.clone()];
        let with = |line: &String| vec![bearer.clone(), line.clone()];
        for (name, connection, lines, codes) in [
            ("its own", Connection::Own, own(), &[""][..]),
            ("another", Connection::Other, own(), &["proof.binding"]),
            ("none", Connection::Bare, own(), &["proof.missing"]),
            (
                "none, but a forged header",
                Connection::Bare,
                with(&forged),
                &["proof.missing"],
            ),
            (
                "another, and a forged header",
                Connection::Other,
                with(&forged),
                &["proof.binding"],
            ),
            (
                "none, but a header in another spelling",
                Connection::Bare,
                with(&respelled),
                &["proof.missing", "request.header"],
            ),
            (
                "another, and a header in another spelling",
                Connection::Other,
                with(&respelled),
                &["proof.binding", "request.header"],
            ),
            // A header that goes away is no certificate, and never somebody else's.
            (
                "its own, and `Connection` names the header",
                Connection::Own,
                with(&named),
                &["", "proof.missing", "request.header"],
            ),
            (
                "none for a token that needs none",
                Connection::Bare,
                vec![plain],
                &[""],
            ),
            // What Traefik takes from the request where it has to pass certificates on.
            (
                "nobody, who tells another request",
                Connection::Own,
                OTHER_REQUEST.map(str::to_owned).to_vec(),
                &["credential.missing"],
            ),
        ] {
            let answer = peers.send(self.world.front, &connection, &lines);
            let passes = answer.status == 200;
            let code = codes.iter().find(|code| match code.is_empty() {
                true => passes,
                false => !passes && answer.body.contains(*code),
            });
            assert!(code.is_some(), "{name}: {codes:?}: {answer:?}");
            self.judge(name, &answer, code.unwrap());
        }
    }

    fn token(&self, cnf: serde_json::Value) -> String {
        self.world.idp.token("bob").claim("cnf", cnf).sign()
    }

    fn judge(&self, name: &str, answer: &Answer, code: &str) {
        let got = self.world.taken();
        if code.is_empty() {
            assert_eq!((answer.status, got.len()), (200, 1), "{name}: {answer:?}");
            let header = self.header.to_ascii_lowercase();
            let is_left = |line: &String| {
                line.starts_with("dpop:") || line.replace('_', "-").starts_with(&header)
            };
            // A header without a value tells nothing.
            let left: Vec<&String> = got[0].2.iter().filter(|line| is_left(line)).collect();
            assert!(
                left.iter().all(|line| line.ends_with(": ")),
                "{name}: {left:?}"
            );
            return;
        }
        assert!(got.is_empty(), "{name} got to the API: {got:?}");
        let is_refused = matches!(answer.status, 400 | 401);
        assert!(
            is_refused && answer.body.contains(code),
            "{name}: {code}: {answer:?}"
        );
    }
}
