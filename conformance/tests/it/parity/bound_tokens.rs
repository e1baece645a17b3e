//! Tokens that are bound, where nothing beside them proves it, or the wrong thing: refused in the
//! same words at every door.

use super::case::{Case, Outcome};
use super::doors::{Doors, IDENTITY};
use super::{Row, run};
use portcullis_core::proof::Thumbprint;
use portcullis_core::token::NumericDate;
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::TestClock;
use portcullis_testkit::{NOW, ProofKey};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many requests there are.
pub(super) const ROWS: usize = 15;

/// A way in which the challenge of a refusal begins.
const INVALID_TOKEN: &str = "DPoP realm=\"api\", error=\"invalid_token\"";
const INVALID_PROOF: &str = "DPoP realm=\"api\", error=\"invalid_dpop_proof\"";
const INVALID_BEARER: &str = "Bearer realm=\"api\", error=\"invalid_token\"";

/// A client's key and certificate, and the issuer of its tokens.
struct BoundClient {
    idp: Idp,
    key: ProofKey,
    certificate: String,
}

impl BoundClient {
    fn token(&self, cnf: Option<Value>) -> String {
        let token = self.idp.token("alice");
        match cnf {
            Some(cnf) => token.claim("cnf", cnf).sign(),
            None => token.sign(),
        }
    }

    fn of_key(&self) -> Option<Value> {
        Some(json!({ "jkt": self.key.thumbprint() }))
    }

    fn of_certificate(&self) -> Option<Value> {
        Some(json!({ "x5t#S256": self.certificate }))
    }

    fn of_both(&self) -> Option<Value> {
        Some(json!({ "jkt": self.key.thumbprint(), "x5t#S256": self.certificate }))
    }

    /// A request with a token, by a scheme, and with a proof by this key.
    fn request(&self, scheme: &str, cnf: Option<Value>, proof: Option<&ProofKey>) -> Case {
        let token = self.token(cnf);
        let case = Case::get("/x").with("Authorization", format!("{scheme} {token}"));
        match proof {
            Some(key) => {
                let url = "https://gw.example/x";
                let claims = key.claims("GET", url, &token, NOW);
                case.with("DPoP", key.sign(&claims))
            }
            None => case,
        }
    }

    async fn doors(&self, bound: &str) -> Doors {
        let (issuer, audience) = (self.idp.issuer(), self.idp.audience());
        let text = format!(
            "public_origin = \"https://gw.example\"\n\
             [[issuer]]\nurl = \"{issuer}\"\naudience = [\"{audience}\"]\n{bound}\n"
        );
        let clock = Arc::new(TestClock::at(NumericDate::from_seconds(NOW)));
        let keys = [(issuer.to_string(), self.idp.jwks())];
        // A demand for certificates needs a source of them. This one tells none here.
        let front = "trusted_proxies = [\"192.0.2.1\"]\n\
                     [gateway.client_certificate]\nformat = \"rfc9440\"\n";
        Doors::telling(&format!("{front}{IDENTITY}"), &text, &keys, &clock).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_token_without_its_proof_is_refused_at_every_door() {
    let client = BoundClient {
        idp: Idp::start_at(IdpConfig::default(), || NOW as u64)
            .await
            .unwrap(),
        key: ProofKey::new(),
        certificate: Thumbprint::of_certificate(b"a certificate").to_string(),
    };
    let worlds = BTreeMap::from([
        ("usual", client.doors("").await),
        ("dpop", client.doors("bound = \"dpop\"").await),
        ("mtls", client.doors("bound = \"mtls\"").await),
    ]);
    let thief = ProofKey::new();
    let (own, stolen) = (Some(&client.key), Some(&thief));
    let request = |scheme, cnf, proof| client.request(scheme, cnf, proof);
    let mut rows = vec![
        // RFC 9449, section 7.2: not as a bearer token, with a proof beside it or without.
        row(
            "usual",
            "as-bearer",
            request("Bearer", client.of_key(), None),
            "proof.missing",
            INVALID_TOKEN,
        ),
        row(
            "usual",
            "as-bearer-with-proof",
            request("Bearer", client.of_key(), own),
            "proof.missing",
            INVALID_TOKEN,
        ),
        // Section 7.1: a proof proves nothing about a token that is bound to no key, or to another.
        row(
            "usual",
            "unbound-with-proof",
            request("DPoP", None, own),
            "proof.unbound",
            INVALID_TOKEN,
        ),
        row(
            "usual",
            "another-key",
            request("DPoP", client.of_key(), stolen),
            "proof.binding",
            INVALID_TOKEN,
        ),
        row(
            "usual",
            "without-proof",
            request("DPoP", client.of_key(), None),
            "proof.header",
            INVALID_PROOF,
        ),
        // RFC 8705, section 3: no door here has seen a certificate.
        row(
            "usual",
            "certificate-not-shown",
            request("Bearer", client.of_certificate(), None),
            "proof.missing",
            INVALID_BEARER,
        ),
        row(
            "usual",
            "certificate-by-proof",
            request("DPoP", client.of_certificate(), own),
            "proof.missing",
            INVALID_TOKEN,
        ),
        // Both are demanded, so the proof of one is not enough.
        row(
            "usual",
            "both-and-proof-of-key",
            request("DPoP", client.of_both(), own),
            "proof.missing",
            INVALID_TOKEN,
        ),
        // What all tokens of an issuer must be bound to.
        row(
            "dpop",
            "demanded-key-unbound",
            request("Bearer", None, None),
            "proof.unbound",
            INVALID_TOKEN,
        ),
        row(
            "mtls",
            "demanded-certificate-unbound",
            request("Bearer", None, None),
            "proof.unbound",
            INVALID_BEARER,
        ),
    ];
    // RFC 7800, section 3.1: a confirmation that is not understood is not skipped.
    for (id, cnf) in [
        ("unknown-kid", json!({ "kid": "x" })),
        ("unknown-jwe", json!({ "jwe": "x" })),
        ("unknown-jwk", json!({ "jwk": {} })),
        ("none-at-all", json!({})),
        (
            "key-and-unknown",
            json!({ "jkt": client.key.thumbprint(), "kid": "x" }),
        ),
    ] {
        let case = request("Bearer", Some(cnf), None);
        rows.push(row("usual", id, case, "proof.unsupported", INVALID_BEARER));
    }
    assert_eq!(rows.len(), ROWS);
    run("bound-tokens", &worlds, &rows).await;
}

fn row(
    world: &'static str,
    id: &str,
    case: Case,
    code: &'static str,
    challenge: &'static str,
) -> (&'static str, Row) {
    let judge = move |outcome: &Outcome| {
        let told = outcome.challenge.as_deref().unwrap_or_default();
        let is_told = told.starts_with(challenge);
        if (outcome.status, outcome.code.as_str(), is_told) == (401, code, true) {
            Ok(())
        } else {
            Err(format!("not {code} with {challenge}"))
        }
    };
    let row = Row {
        id: id.to_owned(),
        case,
        judge: Box::new(judge),
    };
    (world, row)
}
