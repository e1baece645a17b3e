//! 156 proofs of DPoP, in order, before one server with one memory of used proofs.

use crate::tally::Tally;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use portcullis_core::jose::Jwks;
use portcullis_core::token::NumericDate;
use portcullis_core::{Decision, EffectiveUrl, Limits, Requirement};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ResourceRequest, ResourceServer, Settings};
use portcullis_testkit::NOW;
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;
use std::sync::Arc;

/// A server of the corpus, at its moment.
pub(crate) fn server(nonces: bool) -> ResourceServer {
    let tokens = document("access-tokens.json");
    let issuer = &tokens["configurations"]["default"]["issuers"][0];
    let (url, audience) = (&issuer["issuer"], &issuer["audiences"]);
    let text = format!(
        "[[issuer]]\nurl = {url}\naudience = {audience}\nprofile = \"rfc9068\"\n\
         [dpop]\nalgorithms = [\"ES256\", \"EdDSA\"]\nnonces = {nonces}\n"
    );
    let keys = serde_json::json!({ "keys": tokens["jwks"][url.as_str().unwrap()] }).to_string();
    let keys = Jwks::parse(keys.as_bytes(), &Limits::default()).unwrap();
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let clock = TestClock::at(NumericDate::from_seconds(NOW));
    ResourceServer::with_clock(settings.with_fixed_keys(&keys), Arc::new(clock))
}

#[tokio::test]
async fn every_proof_gets_its_verdict() {
    let document = document("dpop-proofs.json");
    let (plain, with_nonces) = (server(false), server(true));
    let mut tally = Tally::new("corpus dpop-proofs");
    for row in rows(&document) {
        let id = row["id"].as_str().unwrap();
        let server = match row["config"].as_str() {
            Some(_) => &with_nonces,
            None => &plain,
        };
        let decision = decide(server, &document["tokens"], row).await;
        let told = match &decision {
            Decision::Allow(_) => "accept".to_owned(),
            Decision::Deny(rejection) => format!("reject {rejection}"),
            Decision::Fail(outage) => format!("fail {outage}"),
        };
        let right = match row["expect"].as_str().unwrap() {
            "accept" | "should-accept" => told == "accept",
            "reject" => told.starts_with("reject proof."),
            _ => !told.starts_with("fail"),
        };
        tally.count(id, right, || format!("{told} for {row}"));
        challenge_names_the_scheme(&decision);
    }
    tally.finish(156);
}

/// What becomes of a row.
pub(crate) async fn decide(server: &ResourceServer, tokens: &Value, row: &Value) -> Decision {
    let request = &row["request"];
    let text = |name: &str| request[name].as_str().unwrap();
    let mut headers = HeaderMap::new();
    let token = tokens[text("token")].as_str().unwrap();
    let credentials = format!("{} {token}", text("authorization_scheme"));
    headers.insert(AUTHORIZATION, credentials.parse().unwrap());
    for proof in request["dpop"].as_array().unwrap() {
        let value = HeaderValue::from_str(proof.as_str().unwrap()).unwrap();
        headers.append("dpop", value);
    }
    for pair in row["extra_headers"].as_array().into_iter().flatten() {
        let name = HeaderName::from_bytes(pair[0].as_str().unwrap().as_bytes()).unwrap();
        headers.append(name, pair[1].as_str().unwrap().parse().unwrap());
    }
    let method = Method::from_bytes(text("method").as_bytes()).unwrap();
    let url = EffectiveUrl::parse(text("url"));
    let request = ResourceRequest {
        method: &method,
        url: url.as_ref(),
        ..ResourceRequest::of_headers(&headers, None)
    };
    server
        .decide_request(&request, &Requirement::ValidToken)
        .await
}

/// RFC 9449, section 7.1: a client learns from the challenge which proofs it can make.
fn challenge_names_the_scheme(decision: &Decision) {
    let Decision::Deny(rejection) = decision else {
        return;
    };
    let told = portcullis_core::challenge::challenge(rejection, "api");
    let value = &told.www_authenticate;
    assert_eq!(told.status, 401);
    assert!(value.starts_with("DPoP realm=\"api\", error="), "{value}");
    assert!(
        value.contains("algs=\"ES256 EdDSA\", Bearer realm=\"api\""),
        "{value}"
    );
}
