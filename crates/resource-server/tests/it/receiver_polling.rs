//! How a stream is fetched: with which token, how soon again, and what its transmitter is told.

use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig, SecurityEvent};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ResourceServer, Settings};
use portcullis_testkit::{
    AUDIENCE, Answer, AnsweringServer, clock, decide, eventually, idp_on, server_on,
};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A transmitter that answers as it is told, and where its tokens come from.
struct Polled {
    clock: Arc<TestClock>,
    idp: Idp,
    transmitter: AnsweringServer,
    tokens: AnsweringServer,
    server: ResourceServer,
    secret: PathBuf,
}

impl Polled {
    async fn start(status: u16, body: &Value) -> Self {
        let clock = clock();
        let idp = idp_on(&clock, IdpConfig::default()).await;
        let transmitter = AnsweringServer::start("").await;
        transmitter.answer(answer(status, body));
        let token = json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 3_600 });
        let tokens = AnsweringServer::start(&token.to_string()).await;
        let name = format!("portcullis-polling-{}", idp.base().replace(['/', ':'], "-"));
        let secret = std::env::temp_dir().join(name);
        std::fs::write(&secret, "service-secret").unwrap();
        let text = format!(
            "[[issuer]]\nurl = \"{0}\"\naudience = \"{AUDIENCE}\"\n[[events]]\nname = \"idp\"\n\
             issuer = \"{0}\"\naudience = \"receiver\"\ndelivery = \"poll\"\n\
             poll_url = \"{1}/poll\"\nclient_id = \"service\"\nclient_secret_file = \"{2}\"\n\
             token_endpoint = \"{3}/token\"\n",
            idp.issuer(),
            transmitter.url,
            secret.display(),
            tokens.url,
        );
        let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
        let server = server_on(&clock, settings);
        Self {
            clock,
            idp,
            transmitter,
            tokens,
            server,
            secret,
        }
    }

    /// Lets real time pass, while the clock stands still: requests of somebody else.
    async fn idle(&self) {
        let client = reqwest::Client::new();
        for _ in 0..50 {
            client.get(&self.tokens.url).send().await.unwrap();
        }
    }

    fn bodies(&self) -> Vec<Value> {
        let requests = self.transmitter.requests().into_iter();
        requests
            .map(|it| serde_json::from_str(&it.body).unwrap())
            .collect()
    }
}

impl Drop for Polled {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.secret);
    }
}

fn answer(status: u16, body: &Value) -> Answer {
    let answer = Answer::json(&body.to_string());
    Answer { status, ..answer }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_transmitter_refuses_is_not_used_again() {
    for (status, is_dropped) in [(401, true), (500, false)] {
        let polled = Polled::start(status, &json!({})).await;
        polled.server.start();
        // In small steps, as the pause begins only after the answer.
        eventually(|| {
            polled.clock.advance(Duration::from_millis(100));
            polled.transmitter.requests().len() >= 2
        })
        .await;
        let requests = polled.transmitter.requests().into_iter();
        let mut bearers = requests.map(|it| it.headers["authorization"].clone());
        assert!(bearers.all(|value| value == "Bearer t"));
        let tokens = polled.tokens.requests();
        assert_eq!(tokens.len() > 1, is_dropped, "{status}");
        let form = &tokens[0].body;
        assert!(form.contains("scope=ssf.manage"), "{form}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_acknowledged_or_refused_once() {
    let empty = json!({ "sets": {} });
    let polled = Polled::start(200, &empty).await;
    let event = || {
        polled
            .idp
            .event("alice", SecurityEvent::AccountDisabled)
    };
    let sets = json!({ "good": event().sign("receiver"), "bad": event().sign("another") });
    let alice = polled.idp.token("alice").sign();
    assert_eq!(decide(&polled.server, &alice).await, "allow");
    polled
        .transmitter
        .answer(answer(200, &json!({ "sets": sets })));
    polled.server.start();
    eventually(|| !polled.transmitter.requests().is_empty()).await;
    // Not in vain: what comes at once is asked for again at once.
    polled.transmitter.answer(answer(200, &empty));
    let is_told = |body: &Value| body["ack"] == json!(["good"]);
    eventually(|| polled.bodies().iter().any(is_told)).await;
    let told = polled.bodies().into_iter().find(is_told).unwrap();
    let refused = json!({
        "err": "invalid_audience",
        "description": "the audience is not this receiver",
    });
    assert_eq!(told["setErrs"], json!({ "bad": refused }));
    assert_eq!(told["returnImmediately"], json!(false));
    assert_eq!(decide(&polled.server, &alice).await, "token.revoked");
}

/// Some transmitters do not hold requests: without a pause they would be asked without end.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_answer_is_followed_by_a_pause() {
    let polled = Polled::start(200, &json!({ "sets": {} })).await;
    polled.server.start();
    eventually(|| !polled.transmitter.requests().is_empty()).await;
    polled.idle().await;
    assert_eq!(polled.transmitter.requests().len(), 1);
    eventually(|| {
        polled.clock.advance(Duration::from_millis(100));
        polled.transmitter.requests().len() > 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_taken_is_not_acknowledged_and_comes_again_later() {
    let polled = Polled::start(200, &json!({})).await;
    let event = polled
        .idp
        .event("alice", SecurityEvent::AccountDisabled)
        .sign("receiver");
    let sets = json!({ "sets": { "one": event } });
    polled.transmitter.answer(answer(200, &sets));
    // Nobody can tell whose key it is.
    polled.idp.fail(Endpoint::Jwks, Fault::InternalError);
    polled.server.start();
    eventually(|| !polled.transmitter.requests().is_empty()).await;
    polled.idle().await;
    assert_eq!(polled.transmitter.requests().len(), 1);
    eventually(|| {
        polled.clock.advance(Duration::from_millis(100));
        polled.transmitter.requests().len() > 1
    })
    .await;
    let told = &polled.bodies()[1];
    assert!(
        told.get("ack").is_none() && told.get("setErrs").is_none(),
        "{told}"
    );
}
