//! Events of a real transmitter: fetched by one replica and obeyed by all, and taken only once they
//! are written.

use crate::redis::Redis;
use crate::shared_revocation::{becomes, eventually};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use portcullis_idp::{EventSubject, Idp, IdpConfig, SecurityEvent};
use portcullis_resource_server::{
    Config, EventOutcome, ReceiverAnswer, ReceiverRequest, ResourceServer, Settings,
};
use portcullis_testkit::decide;
use serde_json::{Value, json};

const DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
const RFC8936: &str = "urn:ietf:rfc:8936";

/// A transmitter with a stream of the client `service`.
pub(crate) struct Stream {
    pub(crate) idp: Idp,
    pub(crate) id: String,
    token: String,
    poll_url: String,
    secret: std::path::PathBuf,
}

impl Stream {
    async fn create() -> Self {
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        Self::create_at(idp, json!({ "method": RFC8936 })).await
    }

    /// A stream whose events are pushed to where nobody is.
    pub(crate) async fn create_pushed(idp: Idp) -> Self {
        let delivery = json!({
            "method": "urn:ietf:rfc:8935",
            "endpoint_url": "http://127.0.0.1:9/events",
        });
        Self::create_at(idp, delivery).await
    }

    /// A stream whose events are fetched.
    pub(crate) async fn create_polled(idp: Idp) -> Self {
        Self::create_at(idp, json!({ "method": RFC8936 })).await
    }

    async fn create_at(idp: Idp, delivery: Value) -> Self {
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
            id: String::new(),
            token,
            poll_url: String::new(),
            secret,
        };
        let wanted = json!({ "events_requested": [DISABLED], "delivery": delivery });
        let created = stream.send("/ssf/streams", &wanted).await;
        let url = created["delivery"]["endpoint_url"].as_str().unwrap();
        stream.poll_url = url.to_owned();
        stream.id = created["stream_id"].as_str().unwrap().to_owned();
        stream
    }

    /// Deletes it at the transmitter.
    pub(crate) async fn delete(&self) {
        let url = format!("{}/ssf/streams?stream_id={}", self.idp.issuer(), self.id);
        let request = reqwest::Client::new().delete(url);
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        assert_eq!(answer.status(), 204);
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
        ResourceServer::with_settings(self.settings(delivery, store))
    }

    /// The settings of a replica that looks after the stream.
    pub(crate) fn watching(&self, is_polled: bool, store: Option<&Redis>) -> Settings {
        self.watching_with("", is_polled, store)
    }

    pub(crate) fn watching_with(
        &self,
        more: &str,
        is_polled: bool,
        store: Option<&Redis>,
    ) -> Settings {
        let delivery = match is_polled {
            true => format!("delivery = \"poll\"\npoll_url = \"{}\"\n", self.poll_url),
            false => String::new(),
        };
        let access = format!(
            "stream_id = \"{}\"\nclient_id = \"service\"\nclient_secret_file = \"{}\"\n",
            self.id,
            self.secret.display()
        );
        self.settings(&format!("{delivery}{access}{more}"), store)
    }

    fn settings(&self, delivery: &str, store: Option<&Redis>) -> Settings {
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
        Settings::try_from(Config::from_toml(&text).unwrap()).unwrap()
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

/// RFC 9493, section 3.2.2: an address names somebody only where the settings say which claim of
/// the tokens has it.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_names_whoever_has_it_in_the_token() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let server = |more: &str| {
        let text = format!(
            "[[issuer]]\nurl = \"{0}\"\naudience = \"{1}\"\n{more}[[events]]\nname = \"idp\"\n\
             issuer = \"{0}\"\naudience = \"us\"\n",
            idp.issuer(),
            idp.audience(),
        );
        let config = Config::from_toml(&text).unwrap();
        ResourceServer::with_settings(Settings::try_from(config).unwrap())
    };
    let (mapped, unmapped) = (server("email = \"contact.mail\"\n"), server(""));
    let token = |mail: &str| {
        let token = idp.token("alice");
        token.claim("contact", json!({ "mail": mail })).sign()
    };
    let (alice, bob) = (token("Alice@Example.com"), token("bob@example.com"));
    // Somebody whose `sub` is that address is not meant.
    let named = idp.token("alice").claim("sub", "alice@example.com");
    let named = named.sign();
    let set = idp.event("alice", SecurityEvent::AccountDisabled);
    let subject = json!({ "format": "email", "email": "alice@example.com" });
    let set = set.subject(EventSubject::Other(subject)).sign("us");

    let answer = push(&unmapped, &set).await;
    assert_eq!(answer.response.status(), 202);
    assert_eq!(answer.reports[0].outcome, EventOutcome::Unmapped);
    assert_eq!(decide(&unmapped, &alice).await, "allow");

    assert_eq!(decide(&mapped, &alice).await, "allow");
    let answer = push(&mapped, &set).await;
    assert_eq!(answer.reports[0].outcome, EventOutcome::Applied);
    assert_eq!(decide(&mapped, &alice).await, "token.revoked");
    assert_eq!(decide(&mapped, &bob).await, "allow");
    assert_eq!(decide(&mapped, &named).await, "allow");
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
