//! `effective-urls.json`: the URL that a client asked for, as a proof of DPoP has to name it. The
//! proxy gets each row over HTTP/1.1 and HTTP/2; forward-auth gets it from a program in front.

use crate::client::{Client, ClientResponse};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use portcullis_testkit::{NOW, ProofKey, corpus};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Corpus {
    settings: BTreeMap<String, Terms>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Terms {
    tokens: String,
    gateway: String,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    settings: String,
    host: String,
    target: String,
    proto: Option<String>,
    headers: Vec<(String, String)>,
    url: Option<String>,
    not: Vec<String>,
}

const DOOR: &str = r#"
[forward_auth]
listen = "127.0.0.1:0"
proxy = "traefik"
trusted_peers = ["127.0.0.1"]
"#;

/// A client with a key, and its token.
struct Prover {
    key: ProofKey,
    token: String,
}

impl Prover {
    fn of(setup: &TestSetup) -> Self {
        let key = ProofKey::new();
        let cnf = json!({ "jkt": key.thumbprint() });
        let token = setup.idp.token("alice").claim("cnf", cnf).sign();
        Self { key, token }
    }

    /// A request to this address, with a proof of `url`.
    fn request(&self, uri: &str, url: &str) -> http::request::Builder {
        let claims = self.key.claims("GET", url, &self.token, NOW);
        Request::get(uri)
            .header("authorization", format!("DPoP {}", self.token))
            .header("dpop", self.key.sign(&claims))
    }
}

impl Vector {
    /// As the client's own request to the proxy.
    fn direct(&self, prover: &Prover, url: &str, over_http2: bool) -> Request<Full<Bytes>> {
        let uri = match over_http2 {
            true => format!("http://{}{}", self.host, self.target),
            false => self.target.clone(),
        };
        let mut request = prover.request(&uri, url);
        if !over_http2 {
            request = request.header("host", &self.host);
        }
        if let Some(proto) = &self.proto {
            request = request.header("x-forwarded-proto", proto);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::default()).unwrap()
    }

    /// As a program in front tells it, which knows the scheme for itself.
    fn asked(&self, prover: &Prover, url: &str) -> Option<Request<Full<Bytes>>> {
        let scheme = self
            .url
            .as_deref()?
            .split("://")
            .next()?
            .to_lowercase();
        let request = prover
            .request("/", url)
            .header("x-forwarded-method", "GET")
            .header("x-forwarded-proto", scheme)
            .header("x-forwarded-host", &self.host)
            .header("x-forwarded-uri", &self.target);
        request.body(Full::default()).ok()
    }

    /// Status and code at each door, of a proof of this URL.
    async fn answers(&self, setup: &TestSetup, prover: &Prover, url: &str) -> Vec<(u16, String)> {
        let told = |answer: &ClientResponse| match answer.status {
            200 => (200, String::new()),
            status => (status, answer.code()),
        };
        let proxy = Client::new(setup.gateway);
        let plain = proxy.send(self.direct(prover, url, false)).await;
        let streamed = proxy.open_http2(self.direct(prover, url, true)).await;
        let streamed = ClientResponse::of(streamed).await;
        let mut told = vec![told(&plain), told(&streamed)];
        if let Some(asked) = self.asked(prover, url) {
            let asked = Client::new(setup.forward_auth.unwrap())
                .send(asked)
                .await;
            told.push(match asked.status {
                200 => (200, String::new()),
                status => (status, asked.code()),
            });
        }
        told
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_counts_for_the_url_that_its_client_wrote_and_for_no_other() {
    let corpus: Corpus = corpus::read("effective-urls.json");
    assert_eq!(corpus.vectors.len(), 41);
    let (mut faults, mut asked) = (Vec::new(), 0);
    for (name, terms) in &corpus.settings {
        let settings = format!("{}\n{DOOR}", terms.gateway);
        let tokens = format!("{}\n", terms.tokens);
        let setup = TestSetup::with_token_settings(&tokens, &settings).await;
        let prover = Prover::of(&setup);
        for vector in corpus.vectors.iter().filter(|it| it.settings == *name) {
            let own = vector.url.iter().map(|url| (url, ""));
            let code = match vector.url {
                Some(_) => "proof.",
                None => "proof.unsupported",
            };
            let others = vector.not.iter().map(|url| (url, code));
            for (url, expected) in own.chain(others) {
                asked += 1;
                for (status, code) in vector.answers(&setup, &prover, url).await {
                    let is_right = match expected {
                        "" => status == 200,
                        expected => status == 401 && code.starts_with(expected),
                    };
                    if !is_right {
                        faults.push(format!("{}: {url}: {status} {code}", vector.id));
                    }
                }
            }
        }
    }
    assert_eq!(asked, 86);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
