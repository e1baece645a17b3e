//! Bound tokens through the proxy: proofs by HTTP/1.1 and HTTP/2, what goes upstream, and the nonce
//! for the next proof.

use crate::client::{Client, ClientResponse};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use portcullis_testkit::{NOW, ProofKey};
use serde_json::json;

const NONCES: &str = "[dpop]\nnonces = true\n";
const FORWARDED: &str = "[gateway.identity]\nforward_token = true\n";

struct Caller {
    key: ProofKey,
    token: String,
}

impl Caller {
    fn of(setup: &TestSetup) -> Self {
        let key = ProofKey::new();
        let cnf = json!({ "jkt": key.thumbprint() });
        let token = setup.idp.token("alice").claim("cnf", cnf).sign();
        Self { key, token }
    }

    /// A request with a proof of this URL.
    fn request(&self, target: &str, url: &str, nonce: Option<&str>) -> Request<Full<Bytes>> {
        let mut claims = self.key.claims("GET", url, &self.token, NOW);
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        Request::builder()
            .method(Method::GET)
            .uri(target)
            .header("host", "gw.example")
            .header("authorization", format!("DPoP {}", self.token))
            .header("dpop", self.key.sign(&claims))
            .body(Full::default())
            .unwrap()
    }
}

#[tokio::test]
async fn a_proof_counts_over_both_versions_and_never_goes_upstream() {
    for settings in ["", FORWARDED] {
        let setup = TestSetup::new(settings).await;
        let (client, caller) = (Client::new(setup.gateway), Caller::of(&setup));
        // As the client writes it, and not in the one spelling that is forwarded.
        let url = "http://gw.example/a%3Ab";
        let plain = client
            .send(caller.request("/a%3Ab?x=1", url, None))
            .await;
        assert_eq!((plain.status, plain.headers.get("dpop-nonce")), (200, None));
        let over_http2 = caller.request("http://gw.example/a%3Ab", url, None);
        let answer = ClientResponse::of(client.open_http2(over_http2).await).await;
        assert_eq!(answer.status, 200);
        let other = caller.request("/other", url, None);
        assert_eq!(client.send(other).await.code(), "proof.url");
        let seen = setup.upstream.take_requests();
        assert_eq!(seen.len(), 2);
        for request in seen {
            assert!(
                request.values("dpop").is_empty() && request.values("authorization").is_empty()
            );
        }
    }
}

#[tokio::test]
async fn a_good_answer_tells_the_next_nonce() {
    let setup = TestSetup::with_token_settings("", NONCES).await;
    let (client, caller) = (Client::new(setup.gateway), Caller::of(&setup));
    let url = "http://gw.example/x";
    let nonce = |response: &ClientResponse| {
        let nonce = response.headers.get("dpop-nonce")?;
        Some(nonce.to_str().unwrap().to_owned())
    };
    let refused = client.send(caller.request("/x", url, None)).await;
    assert_eq!((refused.status, &*refused.code()), (401, "proof.nonce"));
    let first = nonce(&refused).unwrap();
    let allowed = client
        .send(caller.request("/x", url, Some(&first)))
        .await;
    assert_eq!(allowed.status, 200);
    let next = nonce(&allowed).unwrap();
    let again = client
        .send(caller.request("/x", url, Some(&next)))
        .await;
    assert_eq!(again.status, 200);
    // Who proves nothing needs no nonce.
    let plain = client
        .get("/x", Some(&setup.idp.token("alice").sign()))
        .await;
    assert_eq!((plain.status, nonce(&plain)), (200, None));
}
