//! RFC 9449, RFC 8705, RFC 7800: tokens that are bound to a key.

use super::{NOW, RfcSetup};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use portcullis_core::challenge::{Challenge, challenge};
use portcullis_core::proof::Thumbprint;
use portcullis_core::{Decision, EffectiveUrl, Requirement};
use portcullis_resource_server::ResourceRequest;
use portcullis_testkit::ProofKey;
use serde_json::{Value, json};

const ADDRESS: &str = "https://api.example/orders";

/// A client with a key, and a token that is bound to it.
struct Client {
    world: RfcSetup,
    key: ProofKey,
    token: String,
}

impl Client {
    async fn new() -> Self {
        let (world, key) = (RfcSetup::new().await, ProofKey::new());
        let cnf = json!({ "jkt": key.thumbprint() });
        let token = world.token().claim("cnf", cnf).sign();
        Self { world, key, token }
    }

    /// The claims of a good proof.
    fn claims(&self) -> Value {
        self.key.claims("GET", ADDRESS, &self.token, NOW)
    }

    async fn send(&self, proofs: &[String]) -> Result<(), Challenge> {
        let mut headers = HeaderMap::new();
        headers.insert(
            AUTHORIZATION,
            format!("DPoP {}", self.token).parse().unwrap(),
        );
        for proof in proofs {
            headers.append("dpop", proof.parse().unwrap());
        }
        let url = EffectiveUrl::parse(ADDRESS);
        let request = ResourceRequest {
            method: &Method::GET,
            url: url.as_ref(),
            ..ResourceRequest::of_headers(&headers, None)
        };
        let any = Requirement::ValidToken;
        match self.world.server.decide_request(&request, &any).await {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(rejection) => Err(challenge(&rejection, "api")),
            Decision::Fail(outage) => panic!("{outage}"),
        }
    }
}

/// RFC 9449, 4.3: one proof, for this method, this URL and this token, of this moment
#[tokio::test]
async fn section_4_3_what_a_proof_is_for() {
    let client = Client::new().await;
    assert_eq!(
        client.send(&[client.key.sign(&client.claims())]).await,
        Ok(())
    );
    for (name, value) in [
        ("htm", json!("POST")),
        ("htu", json!("https://api.example/other")),
        ("ath", json!("x")),
        ("iat", json!(NOW - 3_600)),
        ("jti", Value::Null),
    ] {
        let mut claims = client.claims();
        claims[name] = value;
        let refused = client
            .send(&[client.key.sign(&claims)])
            .await
            .unwrap_err();
        assert!(
            refused.www_authenticate.contains("invalid_dpop_proof"),
            "{name}"
        );
    }
    let two = [client.claims(), client.claims()].map(|claims| client.key.sign(&claims));
    let refused = client.send(&two).await.unwrap_err();
    assert!(refused.www_authenticate.contains("invalid_dpop_proof"));
}

/// RFC 9449, 7.1: the challenge names the scheme, the algorithms and the error
#[tokio::test]
async fn section_7_1_the_challenge() {
    let client = Client::new().await;
    let refused = client.send(&[]).await.unwrap_err();
    assert_eq!(refused.status, 401);
    let value = refused.www_authenticate;
    assert!(
        value.starts_with("DPoP realm=\"api\", error=\"invalid_dpop_proof\""),
        "{value}"
    );
    assert!(value.contains("algs=\"ES256 "), "{value}");
}

/// RFC 9449, 7.1: a proof of another key is refused for the token
#[tokio::test]
async fn section_7_1_another_key() {
    let client = Client::new().await;
    let proof = ProofKey::new().sign(&client.claims());
    let refused = client.send(&[proof]).await.unwrap_err();
    assert!(
        refused
            .www_authenticate
            .contains("error=\"invalid_token\"")
    );
}

/// RFC 9449, 11.1: a proof is used once
#[tokio::test]
async fn section_11_1_replay() {
    let client = Client::new().await;
    let proof = [client.key.sign(&client.claims())];
    assert_eq!(client.send(&proof).await, Ok(()));
    let refused = client.send(&proof).await.unwrap_err();
    assert!(refused.www_authenticate.contains("invalid_dpop_proof"));
}

/// RFC 8705, 3: a certificate-bound token needs the certificate that it names, whoever signed it
#[tokio::test]
async fn section_3_the_certificate_of_the_token() {
    let world = RfcSetup::new().await;
    let shown = Thumbprint::of_certificate(b"a certificate");
    let other = Thumbprint::of_certificate(b"another one");
    let cnf = json!({ "x5t#S256": shown.to_string() });
    let token = world.token().claim("cnf", cnf).sign();
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    for (certificate, allowed) in [(shown, true), (other, false)] {
        let request = ResourceRequest {
            certificate: Some(&certificate),
            ..ResourceRequest::of_headers(&headers, None)
        };
        let any = Requirement::ValidToken;
        let decision = world.server.decide_request(&request, &any).await;
        assert_eq!(matches!(decision, Decision::Allow(_)), allowed);
    }
}

/// RFC 9449, 7.2: a DPoP-bound token is refused as a bearer token
#[tokio::test]
async fn section_7_2_dpop_bound_as_bearer() {
    let world = RfcSetup::new().await;
    let token = world
        .token()
        .claim(
            "cnf",
            json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        )
        .sign();
    assert_eq!(world.decide(&token).await, "proof.missing");
}

/// RFC 8705, 3: a certificate-bound token is refused without its certificate
#[tokio::test]
async fn section_3_certificate_bound_as_bearer() {
    let world = RfcSetup::new().await;
    let token = world
        .token()
        .claim(
            "cnf",
            json!({ "x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0" }),
        )
        .sign();
    assert_eq!(world.decide(&token).await, "proof.missing");
}

/// RFC 7800, 3.1: a confirmation that is not understood is not skipped
#[tokio::test]
async fn section_3_1_unknown_confirmations() {
    let world = RfcSetup::new().await;
    for cnf in [
        json!({ "kid": "x" }),
        json!({}),
        json!({ "jkt": "x", "other": "y" }),
    ] {
        assert_eq!(
            world
                .decide(&world.token().claim("cnf", cnf).sign())
                .await,
            "proof.unsupported"
        );
    }
    assert_eq!(
        world
            .decide(&world.token().claim("cnf", "x").sign())
            .await,
        "token.claim_type"
    );
}
