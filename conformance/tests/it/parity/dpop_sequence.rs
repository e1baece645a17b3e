//! The steps through which the conformance suite of the OpenID Foundation takes a resource server
//! with DPoP, each at every door. Other people's list names the steps and the answers; the requests
//! are made here, a new one for each door, since a proof is good once.

use super::case::{Case, Outcome};
use super::door::Door;
use super::doors::Doors;
use crate::tally::Tally;
use crate::vectors::vectors;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use portcullis_core::jose::base64url;
use portcullis_core::token::NumericDate;
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::TestClock;
use portcullis_testkit::{NOW, ProofKey};
use serde_json::{Value, json};
use std::sync::Arc;

const TARGET: &str = "/orders/42";
const URL: &str = "https://gw.example/orders/42";

/// How many steps there are.
pub(super) const STEPS: usize = 32;

/// The code of the answer to each step, from the first one on; none where the request is allowed.
const CODES: [&str; STEPS] = [
    "",
    "proof.header",
    "proof.malformed",
    "proof.malformed",
    "proof.algorithm",
    "proof.key",
    "proof.malformed",
    "proof.method",
    "proof.url",
    "proof.time",
    "proof.token",
    "proof.malformed",
    "proof.algorithm",
    "proof.algorithm",
    "proof.signature",
    "proof.key",
    "proof.method",
    "",
    "",
    "proof.url",
    "proof.time",
    "proof.time",
    "",
    "proof.replayed",
    "proof.token",
    "proof.binding",
    "",
    "",
    "",
    "proof.header",
    "proof.missing",
    "",
];

/// A client with a key and a token that is bound to it, and somebody else's key.
struct Sequence {
    world: Doors,
    key: ProofKey,
    other: ProofKey,
    rsa: RsaKeyPair,
    token: String,
    _idp: Idp,
}

impl Sequence {
    /// With the algorithms of FAPI 2.0, which are without RS256.
    async fn new() -> Self {
        let idp = Idp::start_at(IdpConfig::default(), || NOW as u64);
        let idp = idp.await.unwrap();
        let (issuer, audience) = (idp.issuer(), idp.audience());
        let text = format!(
            "public_origin = \"https://gw.example\"\n\
             [[issuer]]\nurl = \"{issuer}\"\naudience = [\"{audience}\"]\n\
             [dpop]\nalgorithms = [\"PS256\", \"ES256\", \"EdDSA\"]\n"
        );
        let clock = Arc::new(TestClock::at(NumericDate::from_seconds(NOW)));
        let keys = [(issuer.to_string(), idp.jwks())];
        let key = ProofKey::new();
        let token = idp
            .token("alice")
            .bound_to_key(&key.thumbprint())
            .sign();
        Self {
            world: Doors::new(&text, &keys, &clock).await,
            key,
            other: ProofKey::new(),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            token,
            _idp: idp,
        }
    }

    fn claims(&self) -> Value {
        self.key.claims("GET", URL, &self.token, NOW)
    }

    /// A request with these proofs.
    fn request(&self, proofs: &[String]) -> Case {
        let credentials = format!("DPoP {}", self.token);
        let case = Case::get(TARGET).with("Authorization", credentials);
        let add = |case: Case, proof: &String| case.with("DPoP", proof.as_str());
        proofs.iter().fold(case, add)
    }

    fn proven(&self, proof: String) -> Case {
        self.request(&[proof])
    }

    /// A good request, but for the claims of its proof.
    fn with_claims(&self, change: impl FnOnce(&mut Value)) -> Case {
        let mut claims = self.claims();
        change(&mut claims);
        self.proven(self.key.sign(&claims))
    }

    /// The same, but for the header of its proof.
    fn with_header(&self, change: impl FnOnce(&mut Value)) -> Case {
        let mut header = self.key.header();
        change(&mut header);
        self.proven(self.key.sign_with(&header, &self.claims()))
    }

    fn without_claim(&self, name: &str) -> Case {
        self.with_claims(|claims| remove(claims, name))
    }

    fn good(&self) -> Case {
        self.with_claims(|_| ())
    }

    /// The request of a step.
    fn step(&self, number: usize) -> Case {
        match number {
            1 => {
                let mut case = self.good();
                case.headers[1].0 = "DPOP".to_owned();
                case
            }
            2 => self.request(&[self.claims(), self.claims()].map(|it| self.key.sign(&it))),
            3 => self.proven("abc".to_owned()),
            4..=6 => self.with_header(|header| remove(header, ["typ", "alg", "jwk"][number - 4])),
            7..=11 => self.without_claim(["jti", "htm", "htu", "iat", "ath"][number - 7]),
            12 => self.with_header(|header| header["typ"] = "jwt".into()),
            13 => self.proven(by_rsa(&self.rsa, &self.claims())),
            14 => self.unsigned(),
            15 => self.with_broken_signature(),
            16 => self.with_header(|header| header["jwk"]["d"] = "AA".into()),
            17 => self.with_claims(|claims| claims["htm"] = "POST".into()),
            18 => self.with_claims(|claims| claims["htu"] = format!("{URL}?x=y#z").into()),
            19 => {
                let mut case = self.good();
                case.target = format!("{TARGET}?page=2");
                case
            }
            20 => self.with_claims(|claims| claims["htu"] = "https://gw.example/x".into()),
            21 => self.with_claims(|claims| claims["iat"] = (NOW + 3_600).into()),
            22 => self.with_claims(|claims| claims["iat"] = (NOW - 3_600).into()),
            25 => self.with_claims(|claims| claims["ath"] = self.claims()["jti"].clone()),
            26 => self.proven(self.other.sign(&self.claims())),
            27 => self.with_more(),
            28 => self.with_claims(|claims| claims["htu"] = "HTTPS://GW.EXAMPLE/orders/42".into()),
            29 => self.with_claims(|it| it["htu"] = "https://gw.example:443/orders/42".into()),
            30 => self.request(&[]),
            31 => Case::get(TARGET).with("Authorization", format!("Bearer {}", self.token)),
            _ => self.good(),
        }
    }

    fn unsigned(&self) -> Case {
        let mut header = self.key.header();
        header["alg"] = "none".into();
        let proof = self.key.sign_with(&header, &self.claims());
        let (signed, _) = proof.rsplit_once('.').unwrap();
        self.proven(format!("{signed}."))
    }

    /// By the right key, over another header.
    fn with_broken_signature(&self) -> Case {
        let [one, another] = [self.claims(), self.claims()].map(|it| self.key.sign(&it));
        let (signed, _) = one.rsplit_once('.').unwrap();
        let (_, signature) = another.rsplit_once('.').unwrap();
        self.proven(format!("{signed}.{signature}"))
    }

    fn with_more(&self) -> Case {
        let (mut header, mut claims) = (self.key.header(), self.claims());
        header["more"] = "x".into();
        claims["more"] = json!({ "x": 1 });
        self.proven(self.key.sign_with(&header, &claims))
    }

    /// What a door answers to a step.
    async fn ask(&self, door: Door, number: usize) -> Result<Outcome, &'static str> {
        let case = self.step(number);
        if number == 24 {
            let first = self.world.ask(door, &case).await?;
            assert_eq!(first.status, 200, "{first:?}");
        }
        self.world.ask(door, &case).await
    }
}

fn remove(value: &mut Value, name: &str) {
    value.as_object_mut().unwrap().remove(name).unwrap();
}

/// A proof by a key of RSA, with RS256.
fn by_rsa(pair: &RsaKeyPair, claims: &Value) -> String {
    // PKCS #1 in DER: two lengths, then the modulus of 256 bytes after a zero.
    let public = pair.public_key().as_ref();
    assert_eq!(public.len(), 270);
    let modulus = base64url::encode(&public[9..265]);
    let jwk = json!({ "kty": "RSA", "n": modulus, "e": "AQAB" });
    let header = json!({ "typ": "dpop+jwt", "alg": "RS256", "jwk": jwk });
    let encode = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let input = format!("{}.{}", encode(&header), encode(claims));
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature)
        .unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_gets_the_same_answer_at_every_door() {
    let Some(document) = vectors("oidf-conformance/test-modules.json") else {
        return;
    };
    let steps = document["dpop_resource_server_sequence"].as_array();
    let steps = steps.unwrap();
    assert_eq!(steps.len(), CODES.len());
    let sequence = Sequence::new().await;
    let mut tally = Tally::new("parity dpop-sequence");
    for (step, code) in steps.iter().zip(CODES) {
        let number = step["step"].as_u64().unwrap() as usize;
        let case = step["case"].as_str().unwrap();
        // The list and the table here are of one mind.
        let is_allowed = step["expect"].as_str().unwrap().ends_with("accept");
        assert_eq!(code.is_empty(), is_allowed, "{step}");
        let status = if is_allowed { 200 } else { 401 };
        let mut first: Option<Outcome> = None;
        for door in Door::ALL {
            // A door that is not installed has said so.
            let Ok(outcome) = sequence.ask(door, number).await else {
                continue;
            };
            let first = first.get_or_insert_with(|| outcome.clone());
            let told = (outcome.status, outcome.code.as_str());
            let right = told == (status, code) && *first == outcome;
            let id = format!("{number}: {case} by {}", door.name());
            tally.count(&id, right, || {
                format!("{outcome:?}, not {code:?} as {first:?}")
            });
        }
    }
    tally.finish(STEPS * 11);
}
