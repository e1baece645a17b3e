//! Tokens that are bound to a key, and proofs that our client makes: through the live server.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use portcullis_core::credential::Credential;
use portcullis_core::proof::{Binding, Thumbprint};
use portcullis_core::token::NumericDate;
use portcullis_core::{Decision, EffectiveUrl, Requirement};
use portcullis_resource_server::{Config, ResourceRequest, ResourceServer, Revocation, Settings};
use portcullis_testkit::{NOW, ProofKey, ResourceServerSetup};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const ADDRESS: &str = "https://api.example/orders";

struct Bound {
    world: ResourceServerSetup,
    key: ProofKey,
    token: String,
}

impl Bound {
    async fn new() -> Self {
        let (world, key) = (ResourceServerSetup::new().await, ProofKey::new());
        let cnf = json!({ "jkt": key.thumbprint() });
        let token = world.idp.token("alice").claim("cnf", cnf).sign();
        Self { world, key, token }
    }

    fn server(&self, settings: &str) -> ResourceServer {
        let issuer = self.world.idp.issuer();
        let text = format!(
            "[[issuer]]\nurl = \"{issuer}\"\naudience = \"api://enterprise-api\"\n{settings}"
        );
        let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
        let clock = Arc::clone(&self.world.clock);
        ResourceServer::with_clock(settings, clock)
    }

    fn claims(&self) -> Value {
        self.key.claims("GET", ADDRESS, &self.token, NOW)
    }

    fn proof(&self) -> String {
        self.key.sign(&self.claims())
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let bound = format!("DPoP {}", self.token);
        headers.insert(AUTHORIZATION, bound.parse().unwrap());
        headers.insert("dpop", self.proof().parse().unwrap());
        headers
    }

    async fn shown(&self, server: &ResourceServer, proof: &str) -> String {
        let plain = Requirement::ValidToken;
        outcome(server, "DPoP", &self.token, Some(proof), &plain).await
    }
}

/// The nonce that a good answer tells.
fn nonce(server: &ResourceServer) -> Option<String> {
    let mut answer = HeaderMap::new();
    server.add_dpop_nonce(&mut answer);
    let nonce = answer.get("dpop-nonce")?;
    Some(nonce.to_str().unwrap().to_owned())
}

/// `allow`, or the code.
async fn outcome(
    server: &ResourceServer,
    scheme: &str,
    token: &str,
    proof: Option<&str>,
    requirement: &Requirement,
) -> String {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, format!("{scheme} {token}").parse().unwrap());
    if let Some(proof) = proof {
        headers.insert("dpop", proof.parse().unwrap());
    }
    let url = EffectiveUrl::parse(ADDRESS);
    let request = ResourceRequest {
        method: &Method::GET,
        url: url.as_ref(),
        ..ResourceRequest::of_headers(&headers, None)
    };
    match server.decide_request(&request, requirement).await {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Deny(rejection) => rejection.code().to_string(),
        Decision::Fail(outage) => outage.code().to_string(),
    }
}

#[tokio::test]
async fn a_bound_token_needs_a_new_proof_each_time() {
    let bound = Bound::new().await;
    let server = bound.server("");
    let proof = bound.proof();
    assert_eq!(bound.shown(&server, &proof).await, "allow");
    assert_eq!(bound.shown(&server, &proof).await, "proof.replayed");
    // The token is remembered by now; the proof is still looked at.
    assert_eq!(bound.shown(&server, &bound.proof()).await, "allow");
    let other = ProofKey::new();
    let proof = other.sign(&bound.claims());
    assert_eq!(bound.shown(&server, &proof).await, "proof.binding");
    let plain = Requirement::ValidToken;
    for (scheme, proof, expected) in [
        ("Bearer", None, "proof.missing"),
        ("Bearer", Some(bound.proof()), "proof.missing"),
        ("DPoP", None, "proof.header"),
    ] {
        let found = outcome(&server, scheme, &bound.token, proof.as_deref(), &plain).await;
        assert_eq!(found, expected, "{scheme}");
    }
}

#[tokio::test]
async fn a_refused_request_uses_no_proof_up() {
    let bound = Bound::new().await;
    let server = bound.server("");
    let mut claims = bound.claims();
    claims["ath"] = "x".into();
    assert_eq!(
        bound.shown(&server, &bound.key.sign(&claims)).await,
        "proof.token"
    );
    claims["ath"] = bound.claims()["ath"].clone();
    assert_eq!(
        bound.shown(&server, &bound.key.sign(&claims)).await,
        "allow"
    );
}

#[tokio::test]
async fn a_reload_forgets_no_proof() {
    let bound = Bound::new().await;
    let server = bound.server("");
    let proof = bound.proof();
    assert_eq!(bound.shown(&server, &proof).await, "allow");
    let text = format!(
        "realm = \"other\"\n[[issuer]]\nurl = \"{}\"\naudience = \"api://enterprise-api\"\n",
        bound.world.idp.issuer()
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let next = server.succeeded_by(settings);
    assert_eq!(bound.shown(&next, &proof).await, "proof.replayed");
}

#[tokio::test]
async fn no_more_proofs_pass_than_are_remembered() {
    let bound = Bound::new().await;
    let server = bound.server("[dpop]\nremembered = 1\n");
    let mut outcomes = Vec::new();
    // One for each part of the memory, at most.
    for _ in 0..64 {
        outcomes.push(bound.shown(&server, &bound.proof()).await);
    }
    let allowed = outcomes.iter().filter(|it| *it == "allow").count();
    let full = outcomes
        .iter()
        .filter(|it| *it == "outage.replay")
        .count();
    assert!(allowed <= 16 && allowed + full == 64, "{allowed} {full}");
    bound.world.clock.advance(Duration::from_secs(120));
}

#[tokio::test]
async fn routes_and_issuers_can_demand_a_binding() {
    let bound = Bound::new().await;
    let plain = bound.world.idp.token("alice").sign();
    let server = bound.server("");
    for (binding, expected) in [
        (Binding::Dpop, "allow"),
        (Binding::Any, "allow"),
        (Binding::Mtls, "proof.unbound"),
    ] {
        let demand = Requirement::all([Requirement::bind(binding), Requirement::user()]);
        let proof = bound.proof();
        let found = outcome(&server, "DPoP", &bound.token, Some(&proof), &demand).await;
        assert_eq!(found, expected, "{binding}");
        let found = outcome(&server, "Bearer", &plain, None, &demand).await;
        assert_eq!(found, "proof.unbound", "{binding}");
    }
    let server = bound.server("bound = \"dpop\"\n");
    let any = Requirement::ValidToken;
    let found = outcome(&server, "Bearer", &plain, None, &any).await;
    assert_eq!(found, "proof.unbound");
    assert_eq!(bound.shown(&server, &bound.proof()).await, "allow");
}

#[tokio::test]
async fn a_nonce_is_told_and_then_demanded_of_everybody() {
    let bound = Bound::new().await;
    let server = bound.server("[dpop]\nnonces = true\n");
    assert_eq!(bound.shown(&server, &bound.proof()).await, "proof.nonce");
    let mut claims = bound.claims();
    claims["nonce"] = nonce(&server).unwrap().into();
    assert_eq!(
        bound.shown(&server, &bound.key.sign(&claims)).await,
        "allow"
    );
    bound.world.clock.advance(Duration::from_secs(121));
    let mut claims = bound.claims();
    claims["nonce"] = "another".into();
    assert_eq!(
        bound.shown(&server, &bound.key.sign(&claims)).await,
        "proof.nonce"
    );
    assert_eq!(nonce(&bound.server("")), None);
}

/// Callers behind one address share its failures; a token that is known lets its caller pass. Of a
/// bound one that would hold for whoever stole it.
#[tokio::test]
async fn a_bound_token_is_never_known_to_be_good() {
    let bound = Bound::new().await;
    let server = bound.server("");
    assert_eq!(bound.shown(&server, &bound.proof()).await, "allow");
    let plain = bound.world.idp.token("alice").sign();
    let any = Requirement::ValidToken;
    assert_eq!(
        outcome(&server, "Bearer", &plain, None, &any).await,
        "allow"
    );
    for (scheme, token, known) in [("Bearer", &plain, true), ("DPoP", &bound.token, false)] {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("{scheme} {token}").parse().unwrap());
        assert_eq!(server.knows_token(&headers), known, "{scheme}");
    }
}

#[tokio::test]
async fn without_a_public_origin_no_proof_can_be_checked() {
    let bound = Bound::new().await;
    let server = bound.server("");
    let mut headers = HeaderMap::new();
    headers.insert(
        AUTHORIZATION,
        format!("DPoP {}", bound.token).parse().unwrap(),
    );
    headers.insert("dpop", bound.proof().parse().unwrap());
    let decision = server
        .decide(&headers, None, &Requirement::ValidToken)
        .await;
    match decision {
        Decision::Deny(rejection) => {
            assert_eq!(rejection.code().as_str(), "proof.unsupported");
        }
        other => panic!("{other:?}"),
    }
}

/// A stolen key ends all tokens that are bound to it, also the ones that are remembered.
#[tokio::test]
async fn a_revoked_key_ends_its_tokens() {
    let bound = Bound::new().await;
    let server = bound.server("");
    assert_eq!(bound.shown(&server, &bound.proof()).await, "allow");
    let caller = server
        .explain_request(Credential::dpop(&bound.token), &asked(&bound.headers()))
        .await;
    assert!(caller.is_accepted(), "{caller:?}");
    let now = NumericDate::from_seconds(NOW);
    let stolen = Thumbprint::parse(&bound.key.thumbprint()).unwrap();
    let other = Thumbprint::from_bytes([1; 32]);
    server
        .revoke(Revocation::key(&other, now))
        .await
        .unwrap();
    assert_eq!(bound.shown(&server, &bound.proof()).await, "allow");
    server
        .revoke(Revocation::key(&stolen, now))
        .await
        .unwrap();
    assert_eq!(bound.shown(&server, &bound.proof()).await, "token.revoked");
    // Of another user, and issued later.
    let cnf = json!({ "jkt": bound.key.thumbprint() });
    let later = bound.world.idp.token("bob").claim("cnf", cnf).sign();
    let claims = bound.key.claims("GET", ADDRESS, &later, NOW);
    let proof = bound.key.sign(&claims);
    let plain = Requirement::ValidToken;
    let found = outcome(&server, "DPoP", &later, Some(&proof), &plain).await;
    assert_eq!(found, "token.revoked");
    // A certificate is revoked in the same way.
    let cnf = json!({ "x5t#S256": other.to_string() });
    let by_certificate = bound.world.idp.token("bob").claim("cnf", cnf).sign();
    let found = outcome(&server, "Bearer", &by_certificate, None, &plain).await;
    assert_eq!(found, "token.revoked");
}

/// A connection that is open when its key is revoked does not outlive the next check.
#[tokio::test]
async fn an_open_stream_of_a_revoked_key_ends() {
    let bound = Bound::new().await;
    let server = bound.server("");
    let headers = bound.headers();
    let request = asked(&headers);
    let decision = server
        .decide_request(&request, &Requirement::ValidToken)
        .await;
    let Decision::Allow(permit) = decision else {
        panic!("{decision:?}");
    };
    let token = permit.into_token();
    assert!(server.recheck(&token).await.is_ok());
    let stolen = Thumbprint::parse(&bound.key.thumbprint()).unwrap();
    let now = NumericDate::from_seconds(NOW);
    server
        .revoke(Revocation::key(&stolen, now))
        .await
        .unwrap();
    let refused = server.recheck(&token).await.unwrap_err();
    assert!(refused.to_string().contains("revoked"), "{refused}");
}

fn asked(headers: &HeaderMap) -> ResourceRequest<'_> {
    // Leaked: a test ends soon.
    let url = Box::leak(Box::new(EffectiveUrl::parse(ADDRESS)));
    ResourceRequest {
        url: url.as_ref(),
        ..ResourceRequest::of_headers(headers, None)
    }
}
