//! What a proof of possession costs: a bearer token, one with a new proof of DPoP, one with a
//! client certificate, all known; and proofs that are junk.
//!
//! All take turns in each round, and the medians are printed with their ratios: they mean something
//! on a busy machine too.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and stops when something is wrong"
)]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use portcullis::{Config, Decision, Requirement, ResourceServer, Settings};
use portcullis_core::EffectiveUrl;
use portcullis_core::proof::Thumbprint;
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::ResourceRequest;
use portcullis_testkit::ProofKey;
use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};
use tokio::runtime::Runtime;

const ADDRESS: &str = "https://api.example/orders/7";

/// What this process holds, in bytes.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096.0
}

struct PossessionBench {
    runtime: Runtime,
    server: ResourceServer,
    url: EffectiveUrl,
    certificate: Thumbprint,
    key: ProofKey,
    bearer: String,
    by_key: String,
    by_certificate: String,
}

impl PossessionBench {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let idp = runtime
            .block_on(Idp::start(IdpConfig::default()))
            .unwrap();
        let text = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = \"{}\"\n",
            idp.issuer(),
            idp.audience()
        );
        let settings = Config::from_toml(&text).and_then(Settings::try_from);
        let (key, certificate) = (ProofKey::new(), Thumbprint::from_bytes([1; 32]));
        let token = || idp.token("alice").scope("orders:read");
        let by_key = token().bound_to_key(&key.thumbprint());
        let by_certificate = token().bound_to_certificate(&certificate.to_string());
        let bench = Self {
            server: ResourceServer::with_settings(settings.unwrap()),
            url: EffectiveUrl::parse(ADDRESS).unwrap(),
            certificate,
            bearer: token().sign(),
            by_key: by_key.sign(),
            by_certificate: by_certificate.sign(),
            key,
            runtime,
        };
        // The first decision about each token verifies it.
        for _ in 0..2 {
            bench.decide(&bench.bearer_requests(1), true);
            bench.decide(&bench.certificate_requests(1), true);
            bench.decide(&bench.proven_requests(1, ADDRESS), true);
        }
        bench
    }

    fn bearer_requests(&self, count: usize) -> Vec<HeaderMap> {
        vec![headers("Bearer", &self.bearer, None); count]
    }

    fn certificate_requests(&self, count: usize) -> Vec<HeaderMap> {
        vec![headers("Bearer", &self.by_certificate, None); count]
    }

    /// Each with a proof of its own, made now.
    fn proven_requests(&self, count: usize, url: &str) -> Vec<HeaderMap> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = i64::try_from(now.unwrap().as_secs()).unwrap();
        let mut requests = Vec::new();
        for _ in 0..count {
            let claims = self.key.claims("GET", url, &self.by_key, now);
            let proof = self.key.sign(&claims);
            requests.push(headers("DPoP", &self.by_key, Some(&proof)));
        }
        requests
    }

    /// The same with another signature: all checks but the last one pass.
    fn forged_requests(&self, count: usize) -> Vec<HeaderMap> {
        let mut requests = self.proven_requests(count, ADDRESS);
        for request in &mut requests {
            let proof = request["dpop"].to_str().unwrap();
            let (input, _) = proof.rsplit_once('.').unwrap();
            let signature = portcullis_core::jose::base64url::encode(&[7; 64]);
            let forged = format!("{input}.{signature}");
            request.insert("dpop", forged.parse().unwrap());
        }
        requests
    }

    fn junk_requests(&self, count: usize) -> Vec<HeaderMap> {
        vec![
            headers(
                "DPoP",
                &self.by_key,
                Some("eyJ0eXAiOiJkcG9wK2p3dCJ9.e30.AAAA")
            );
            count
        ]
    }

    /// Microseconds for each of these requests, one after the other.
    fn decide(&self, requests: &[HeaderMap], allowed: bool) -> f64 {
        let took = self.runtime.block_on(async {
            let began = Instant::now();
            for headers in requests {
                let request = ResourceRequest {
                    url: Some(&self.url),
                    certificate: Some(&self.certificate),
                    ..ResourceRequest::of_headers(headers, None)
                };
                let plain = &Requirement::ValidToken;
                let decision = self.server.decide_request(&request, plain).await;
                assert_eq!(matches!(decision, Decision::Allow(_)), allowed);
            }
            began.elapsed()
        });
        micros(took, requests.len())
    }
}

fn headers(scheme: &str, token: &str, proof: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let credential = format!("{scheme} {token}");
    headers.insert(AUTHORIZATION, credential.parse().unwrap());
    if let Some(proof) = proof {
        headers.insert("dpop", proof.parse().unwrap());
    }
    headers
}

fn micros(took: Duration, calls: usize) -> f64 {
    took.as_secs_f64() * 1e6 / calls as f64
}

/// One ES256 verification, as the library that makes it has it.
struct PlainVerification {
    key: Vec<u8>,
    signature: Vec<u8>,
}

const MESSAGE: [u8; 400] = [b'x'; 400];

impl PlainVerification {
    fn new() -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).unwrap();
        Self {
            key: pair.public_key().as_ref().to_vec(),
            signature: pair.sign(&random, &MESSAGE).unwrap().as_ref().to_vec(),
        }
    }

    fn run(&self, calls: usize) -> f64 {
        let began = Instant::now();
        for _ in 0..calls {
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.key);
            key.verify(black_box(&MESSAGE), &self.signature)
                .unwrap();
        }
        micros(began.elapsed(), calls)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

const ROUNDS: usize = 41;
const CALLS: usize = 300;

fn main() {
    let (bench, plain) = (PossessionBench::new(), PlainVerification::new());
    let mut rounds: [Vec<f64>; 7] = Default::default();
    for _ in 0..ROUNDS {
        let other = "https://api.example/other";
        let row = [
            bench.decide(&bench.bearer_requests(CALLS), true),
            bench.decide(&bench.certificate_requests(CALLS), true),
            bench.decide(&bench.proven_requests(CALLS, ADDRESS), true),
            bench.decide(&bench.junk_requests(CALLS), false),
            bench.decide(&bench.proven_requests(CALLS, other), false),
            bench.decide(&bench.forged_requests(CALLS), false),
            plain.run(CALLS),
        ];
        for (round, value) in rounds.iter_mut().zip(row) {
            round.push(value);
        }
    }
    let medians = rounds.map(median);
    let names = [
        "a known bearer token",
        "a known token and its certificate",
        "a known token and a new proof",
        "a proof that cannot be read",
        "a proof for another URL",
        "a proof with a forged signature",
        "one ES256 verification alone",
    ];
    let [bearer, _, proven, .., verification] = medians;
    println!("\n{:<36}{:>9}{:>12}", "", "us", "of a proof");
    for (name, value) in names.iter().zip(medians) {
        println!("{name:<36}{value:>9.2}{:>12.2}", value / proven);
    }
    let above = proven - bearer - verification;
    println!("\na proof, beyond the bearer token and its verification: {above:.2} us");
    remember(&bench);
}

/// What each remembered proof takes, spare room of the tables included. They are used within a
/// minute: then the first ones are forgotten.
fn remember(bench: &PossessionBench) {
    const PROOFS: usize = 300_000;
    let (before, began) = (resident(), Instant::now());
    let mut spent = 0.0;
    for _ in 0..PROOFS / 1_000 {
        // Made and dropped here: only what the server keeps stays.
        let requests = bench.proven_requests(1_000, ADDRESS);
        spent += bench.decide(&requests, true) * 1_000.0;
    }
    let grown = resident() - before;
    println!(
        "{PROOFS} proofs in {:.0} s: {:.1} bytes and {:.2} us for each\n",
        began.elapsed().as_secs_f64(),
        grown / PROOFS as f64,
        spent / PROOFS as f64
    );
}
