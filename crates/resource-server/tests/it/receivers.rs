//! Events of a real transmitter: fetched by one replica and obeyed by all, and taken only once they
//! are written.

use crate::redis::Redis;
use crate::shared_revocation::{becomes, eventually};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use portcullis_idp::{Idp, IdpConfig, SecurityEvent};
use portcullis_resource_server::{
    Config, EventOutcome, ReceiverAnswer, ReceiverRequest, ResourceServer, Settings,
};
use portcullis_testkit::decide;
use serde_json::{Value, json};

const DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
const RFC8936: &str = "urn:ietf:rfc:8936";

/// A transmitter with a stream of the client `service`, whose events are fetched.
struct Stream {
    idp: Idp,
    token: String,
    poll_url: String,
    secret: std::path::PathBuf,
}

impl Stream {
    async fn create() -> Self {
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        let form = "grant_type=client_credentials&scope=ssf.manage%20ssf.read";
        let request = reqwest::Client::new()
            .post(format!("{}/token", idp.issuer()))
            .basic_auth("service", Some("service-secret"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let token = json(request).await["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let name = format!("portcullis-poll-{}", idp.base().replace(['/', ':'], "-"));
        let secret = std::env::temp_dir().join(name);
        std::fs::write(&secret, "service-secret").unwrap();
        let mut stream = Self {
            idp,
            token,
            poll_url: String::new(),
            secret,
        };
        let wanted = json!({ "events_requested": [DISABLED], "delivery": { "method": RFC8936 } });
        let created = stream.send("/ssf/streams", &wanted).await;
        let url = created["delivery"]["endpoint_url"].as_str().unwrap();
        stream.poll_url = url.to_owned();
        stream
    }

    async fn send(&self, path: &str, body: &Value) -> Value {
        self.send_to(&format!("{}{path}", self.idp.issuer()), body)
            .await
    }

    async fn send_to(&self, url: &str, body: &Value) -> Value {
        let request = reqwest::Client::new()
            .post(url)
            .bearer_auth(&self.token);
        let request = request.header("content-type", "application/json");
        json(request.body(body.to_string())).await
    }

    /// The events that wait; none is acknowledged.
    async fn waiting(&self) -> Vec<String> {
        let answer = self
            .send_to(&self.poll_url, &json!({ "returnImmediately": true }))
            .await;
        let sets = answer["sets"].as_object().unwrap();
        sets.values()
            .map(|set| set.as_str().unwrap().to_owned())
            .collect()
    }

    fn replica(&self, delivery: &str, store: Option<&Redis>) -> ResourceServer {
        let store = match store {
            Some(redis) => format!("[revocation]\nstore = \"{}\"\n", redis.url()),
            None => String::new(),
        };
        let text = format!(
            "[[issuer]]\nurl = \"{0}\"\naudience = \"{1}\"\n[[events]]\nname = \"idp\"\n\
             issuer = \"{0}\"\naudience = \"service\"\n{delivery}{store}",
            self.idp.issuer(),
            self.idp.audience(),
        );
        let config = Config::from_toml(&text).unwrap();
        ResourceServer::with_settings(Settings::try_from(config).unwrap())
    }

    fn polling(&self, store: Option<&Redis>) -> ResourceServer {
        let delivery = format!(
            "delivery = \"poll\"\npoll_url = \"{}\"\nclient_id = \"service\"\n\
             client_secret_file = \"{}\"\n",
            self.poll_url,
            self.secret.display()
        );
        let server = self.replica(&delivery, store);
        server.start();
        server
    }
}

async fn json(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

async fn push(server: &ResourceServer, set: &str) -> ReceiverAnswer {
    let mut headers = HeaderMap::new();
    let media = HeaderValue::from_static("application/secevent+jwt");
    headers.insert(CONTENT_TYPE, media);
    let request = ReceiverRequest {
        path: "/events/idp",
        method: &Method::POST,
        headers: &headers,
        body: set.as_bytes(),
    };
    server.answer_receiver(&request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_fetched_and_acknowledged() {
    let stream = Stream::create().await;
    let server = stream.polling(None);
    let (alice, bob) = (
        stream.idp.token("alice").sign(),
        stream.idp.token("bob").sign(),
    );
    assert_eq!(decide(&server, &alice).await, "allow");
    stream
        .idp
        .send_event("alice", &SecurityEvent::AccountDisabled)
        .await;
    becomes(&server, &alice, "token.revoked").await;
    assert_eq!(decide(&server, &bob).await, "allow");
    eventually(async || stream.waiting().await.is_empty()).await;
    // What is fetched is not taken from whoever brings it.
    assert_eq!(push(&server, "x").await.response.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_fetches_and_all_obey() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let stream = Stream::create().await;
    let replicas = [
        stream.polling(Some(&redis)),
        stream.polling(Some(&redis)),
        stream.polling(Some(&redis)),
    ];
    let alice = stream.idp.token("alice").sign();
    for replica in &replicas {
        becomes(replica, &alice, "allow").await;
    }
    stream
        .idp
        .send_event("alice", &SecurityEvent::AccountDisabled)
        .await;
    for replica in &replicas {
        becomes(replica, &alice, "token.revoked").await;
    }
    // One turn for all.
    let turn = redis
        .ask(&["GET", "portcullis:event:turn:idp"])
        .await
        .unwrap();
    let owner: String = redis::from_redis_value(turn).unwrap();
    assert_eq!(owner.len(), 16);
}

/// A sender that hears "taken" forgets the event, so nothing may be lost after that.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_not_taken() {
    let Some(mut redis) = Redis::start().await else {
        return;
    };
    let stream = Stream::create().await;
    let (one, other) = (
        stream.replica("", Some(&redis)),
        stream.replica("", Some(&redis)),
    );
    let alice = stream.idp.token("alice").sign();
    becomes(&one, &alice, "allow").await;
    becomes(&other, &alice, "allow").await;
    stream
        .idp
        .send_event("alice", &SecurityEvent::AccountDisabled)
        .await;
    let set = stream.waiting().await.remove(0);
    redis.kill();
    let answer = push(&one, &set).await;
    assert_eq!(answer.response.status(), 503);
    assert!(answer.response.headers().contains_key("retry-after"));
    assert_eq!(answer.reports[0].outcome, EventOutcome::Failed);
    redis.start_again().await;
    eventually(async || push(&one, &set).await.response.status() == 202).await;
    becomes(&other, &alice, "token.revoked").await;
    // Told once more, at whatever replica, it is known.
    let again = push(&other, &set).await;
    assert_eq!(again.response.status(), 202);
    assert_eq!(again.reports[0].outcome, EventOutcome::Repeated);
}
