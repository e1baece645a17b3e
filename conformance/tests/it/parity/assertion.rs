//! The signed assertion through every door that can carry it: what arrives at the upstream is
//! verified by another implementation of JWTs, and by our own library, which fetches the keys as an
//! upstream would.

use super::case::{Case, HOST};
use super::door::Door;
use super::doors::Doors;
use super::envoy;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use portcullis_core::Decision;
use portcullis_core::Requirement;
use portcullis_core::token::NumericDate;
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ResourceServer, Settings};
use portcullis_testkit::NOW;
use serde_json::Value;
use std::sync::Arc;

const HEADER: &str = "portcullis-assertion";
const GATEWAY: &str = "http://127.0.0.1:1/gateway";
const AUDIENCE: &str = "https://orders.internal";

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_can_be_verified_whoever_carried_it() {
    let idp = Idp::start_at(IdpConfig::default(), || NOW as u64)
        .await
        .unwrap();
    let issuer = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n",
        idp.issuer(),
        idp.audience()
    );
    let clock = Arc::new(TestClock::at(NumericDate::from_seconds(NOW)));
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
        .unwrap()
        .serialize_pem();
    let file = std::env::temp_dir().join(format!("portcullis-parity-{}.pem", std::process::id()));
    std::fs::write(&file, key).unwrap();
    let identity = format!(
        "[gateway.identity.assertion]\nissuer = \"{GATEWAY}\"\naudience = \"{AUDIENCE}\"\nkeys = [{file:?}]\n"
    );
    let world = Doors::telling(&identity, &issuer, &[], &clock).await;
    let keys = format!("http://{}/.well-known/portcullis/jwks.json", world.admin);
    let set = reqwest::get(&keys)
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let set: JwkSet = serde_json::from_str(&set).unwrap();
    let upstream = upstream(&keys, &clock);
    let token = idp
        .token("alice")
        .scope("orders:read")
        .acr("mfa")
        .sign();
    let mut carried = 0;
    // Libraries sign nothing: the application is in their own process.
    let signs = |door: &Door| {
        !matches!(
            door,
            Door::Layer | Door::Extractor | Door::Asgi | Door::Wsgi | Door::Explanation
        )
    };
    for door in Door::ALL.into_iter().filter(signs) {
        let case = Case::get("/")
            .with("Authorization", format!("Bearer {token}"))
            .with(HEADER, "forged");
        let saw = seen(&world, door, &case).await;
        let assertion = saw[HEADER].to_str().unwrap();
        let claims = decoded(assertion, &set);
        assert_eq!(
            claims["token_issuer"],
            idp.issuer().as_str(),
            "{}",
            door.name()
        );
        assert!(
            !saw.contains_key("authorization") && !saw.contains_key("x-auth-subject"),
            "{}",
            door.name()
        );
        match upstream
            .decide(
                &saw,
                None,
                &Requirement::all([Requirement::role("Admin"), Requirement::acr(["mfa"])]),
            )
            .await
        {
            Decision::Allow(permit) => assert_eq!(permit.token().subject(), claims["sub"].as_str()),
            other => panic!("{other:?} by {}", door.name()),
        }
        let nobody = seen(&world, door, &Case::get("/public/x").with(HEADER, "forged")).await;
        assert!(
            nobody.get(HEADER).is_none_or(HeaderValue::is_empty),
            "{}",
            door.name()
        );
        carried += 1;
    }
    assert_eq!(carried, Door::ALL.len() - 5);
}

/// A server behind the gateway that verifies by our own library.
fn upstream(keys: &str, clock: &Arc<TestClock>) -> ResourceServer {
    let text = format!(
        "token_header = \"{HEADER}\"\n[[issuer]]\nurl = \"{GATEWAY}\"\naudience = \"{AUDIENCE}\"\n\
         profile = \"portcullis\"\njwks_uri = \"{keys}\"\n"
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    ResourceServer::with_clock(settings, Arc::<TestClock>::clone(clock))
}

/// The claims, if the mainstream library takes them for true.
fn decoded(assertion: &str, set: &JwkSet) -> Value {
    let header = decode_header(assertion).unwrap();
    assert_eq!(header.typ.as_deref(), Some("portcullis-assertion+jwt"));
    let key = DecodingKey::from_jwk(set.find(header.kid.as_deref().unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[GATEWAY]);
    // The clock of this test stands in 2027.
    validation.validate_exp = false;
    let claims = decode::<Value>(assertion, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!(claims["exp"].as_i64(), Some(NOW + 60));
    claims
}

/// The headers that the upstream gets: of the proxy, as it got them; else what the one that asks
/// makes of the answer.
async fn seen(world: &Doors, door: Door, case: &Case) -> HeaderMap {
    let answer = match door {
        Door::Proxy => {
            assert_eq!(world.proxied(case).await.0.status, 200);
            return world.upstream.lock().unwrap().take().unwrap();
        }
        Door::Grpc | Door::GrpcRaw => {
            let response = world
                .check(envoy::request(case, door == Door::GrpcRaw))
                .await;
            return envoy::forwarded(sent(case), &response);
        }
        Door::Asked(front) => world.asked(front, case).await,
        _ => world.by_http(case).await,
    };
    assert_eq!(answer.0.status, 200, "{}", door.name());
    let mut headers = sent(case);
    headers.insert(HEADER, answer.1.headers[HEADER].clone());
    headers.remove("authorization");
    headers
}

fn sent(case: &Case) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &case.headers {
        headers.append(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::from_bytes(value).unwrap(),
        );
    }
    headers.insert("host", HeaderValue::from_static(HOST));
    headers
}
