//! Events that are signed before anything is measured, and tokens of some of the people whom they
//! are about.

use crate::fleet::AUTHORIZATION;
use crate::issuer::{API, EVENTS, Issuer};
use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Instant;

/// How many tokens are asked about in the end.
const SAMPLE: usize = 2_000;

/// Events, each about another person, and tokens that were issued before.
pub(crate) struct SignedSets {
    /// The whole request of each event.
    pub(crate) requests: Arc<Vec<Vec<u8>>>,
    /// Tokens of people whom events are about, chosen at random: the number of the event, and the
    /// token.
    pub(crate) ended: Vec<(usize, String)>,
    /// Tokens of people whom no event is about.
    pub(crate) others: Vec<String>,
}

/// The settings of gateways that take these events.
pub(crate) fn settings(issuer: &Issuer, store: u16) -> String {
    let issuer = &issuer.url;
    format!(
        "[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{API}\"]\n\
         [[events]]\nname = \"load\"\nissuer = \"{issuer}\"\naudience = \"{EVENTS}\"\n\
         authorization_file = \"authorization\"\n\
         [revocation]\nstore = \"redis://127.0.0.1:{store}\"\n"
    )
}

impl SignedSets {
    pub(crate) fn sign(issuer: &Issuer, count: usize) -> Self {
        let began = Instant::now();
        let token = |number: usize| issuer.token(&format!("user-{number}"), "s-1");
        let mut sample = BTreeSet::new();
        while sample.len() < SAMPLE.min(count) {
            // Keyed at random: another choice in each run.
            let random = RandomState::new().hash_one(sample.len());
            sample.insert(random as usize % count);
        }
        // Before the events: those end what was issued until then.
        let ended = sample
            .into_iter()
            .map(|number| (number, token(number)))
            .collect();
        let others = (0..100).map(|number| token(count + number)).collect();
        let middle = count / 2;
        let mut requests = Vec::new();
        std::thread::scope(|scope| {
            let halves = [0..middle, middle..count];
            let sign = |half: std::ops::Range<usize>| {
                scope.spawn(move || half.map(|it| request(issuer, it)).collect::<Vec<_>>())
            };
            let halves = halves.map(sign);
            for half in halves {
                requests.extend(half.join().unwrap());
            }
        });
        let size = requests.first().map_or(0, Vec::len);
        let seconds = began.elapsed().as_secs_f64();
        println!("{count} events signed ahead in {seconds:.1} s, EdDSA, requests of {size} bytes");
        Self {
            requests: Arc::new(requests),
            ended,
            others,
        }
    }
}

/// RFC 8935, section 2.1.
fn request(issuer: &Issuer, number: usize) -> Vec<u8> {
    let set = issuer.event(&format!("user-{number}"));
    let length = set.len();
    format!(
        "POST /.portcullis/events/load HTTP/1.1\r\nHost: api.example\r\n\
         Authorization: {AUTHORIZATION}\r\nContent-Type: application/secevent+jwt\r\n\
         Accept: application/json\r\nContent-Length: {length}\r\n\r\n{set}"
    )
    .into_bytes()
}
