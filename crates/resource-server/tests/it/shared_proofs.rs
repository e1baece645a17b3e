//! A proof that one replica took is refused by the next: over a real Redis, and while it is away.

use crate::redis::Redis;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use portcullis_core::{Decision, EffectiveUrl, Requirement};
use portcullis_resource_server::{Config, ResourceRequest, ResourceServer, Settings};
use portcullis_testkit::{NOW, ProofKey, ResourceServerSetup};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const ADDRESS: &str = "https://api.example/orders";

struct Replicas {
    world: ResourceServerSetup,
    redis: Redis,
    key: ProofKey,
    token: String,
}

impl Replicas {
    async fn new() -> Option<Self> {
        let redis = Redis::start().await?;
        let (world, key) = (ResourceServerSetup::new().await, ProofKey::new());
        let cnf = json!({ "jkt": key.thumbprint() });
        let token = world.idp.token("alice").claim("cnf", cnf).sign();
        Some(Self {
            world,
            redis,
            key,
            token,
        })
    }

    fn replica(&self, dpop: &str) -> ResourceServer {
        let text = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = \"api://enterprise-api\"\n\
             [revocation]\nstore = \"{}\"\ndanger_serve_without_store = true\n[dpop]\n{dpop}",
            self.world.idp.issuer(),
            self.redis.url(),
        );
        let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
        ResourceServer::with_clock(settings, Arc::clone(&self.world.clock) as Arc<_>)
    }

    fn proof(&self) -> String {
        let claims = self.key.claims("GET", ADDRESS, &self.token, NOW);
        self.key.sign(&claims)
    }

    async fn shown(&self, replica: &ResourceServer, proof: &str) -> String {
        let mut headers = HeaderMap::new();
        let credentials = format!("DPoP {}", self.token);
        headers.insert(AUTHORIZATION, credentials.parse().unwrap());
        headers.insert("dpop", proof.parse().unwrap());
        let url = EffectiveUrl::parse(ADDRESS);
        let request = ResourceRequest {
            method: &Method::GET,
            url: url.as_ref(),
            ..ResourceRequest::of_headers(&headers, None)
        };
        match replica
            .decide_request(&request, &Requirement::ValidToken)
            .await
        {
            Decision::Allow(_) => "allow".to_owned(),
            Decision::Deny(rejection) => rejection.code().to_string(),
            Decision::Fail(outage) => outage.code().to_string(),
        }
    }
}

#[tokio::test]
async fn a_proof_is_used_once_at_all_replicas() {
    let Some(fleet) = Replicas::new().await else {
        return;
    };
    let (one, two) = (fleet.replica(""), fleet.replica(""));
    let proof = fleet.proof();
    assert_eq!(fleet.shown(&one, &proof).await, "allow");
    assert_eq!(fleet.shown(&two, &proof).await, "proof.replayed");
    assert_eq!(fleet.shown(&one, &proof).await, "proof.replayed");
    assert_eq!(fleet.shown(&two, &fleet.proof()).await, "allow");
}

#[tokio::test]
async fn without_the_store_nobody_can_tell() {
    let Some(mut fleet) = Replicas::new().await else {
        return;
    };
    let (strict, lax) = (
        fleet.replica(""),
        fleet.replica("danger_serve_without_store = true\n"),
    );
    assert_eq!(fleet.shown(&strict, &fleet.proof()).await, "allow");
    fleet.redis.kill();
    for _ in 0..6 {
        let outcome = fleet.shown(&strict, &fleet.proof()).await;
        assert_eq!(outcome, "outage.replay");
    }
    let proof = fleet.proof();
    assert_eq!(fleet.shown(&lax, &proof).await, "allow");
    assert_eq!(fleet.shown(&lax, &proof).await, "proof.replayed");
    fleet.redis.start_again().await;
    // Nobody asked it for some seconds; then it is asked again.
    let outcome = fleet.shown(&strict, &fleet.proof()).await;
    assert_eq!(outcome, "outage.replay");
    fleet.world.clock.advance(Duration::from_secs(6));
    assert_eq!(fleet.shown(&strict, &fleet.proof()).await, "allow");
}
