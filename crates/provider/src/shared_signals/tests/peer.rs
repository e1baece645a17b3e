//! The development identity provider as the transmitter.

use super::super::*;
use crate::client_auth::{ClientAuth, Proof, Secret};
use crate::clock::SystemClock;
use crate::egress::Egress;
use crate::fetch::{Authorization, EndpointRequest, Fetch, Reach};
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_testkit::ResourceServerSetup;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

pub(super) fn egress() -> Egress {
    let limits = Limits::default();
    Egress {
        fetch: Fetch::new(limits.document_bytes),
        limits,
        clock: Arc::new(SystemClock::new()),
    }
}

struct Peer {
    setup: ResourceServerSetup,
    transmitter: Transmitter,
    authorization: Authorization,
}

impl Peer {
    async fn start(scope: &str) -> Self {
        let setup = ResourceServerSetup::new().await;
        let issuer = Issuer::parse(setup.idp.issuer().as_str()).unwrap();
        let source = TransmitterSource::Discovered;
        let transmitter = Transmitter::discover(issuer, &source, egress()).await;
        let authorization = token(&setup, scope).await;
        Self {
            transmitter: transmitter.unwrap(),
            authorization,
            setup,
        }
    }

    fn streams(&self) -> StreamManagement<'_> {
        self.transmitter.manage(&self.authorization)
    }

    async fn poll(&self, url: &Url, ack: &[String], most: usize) -> PollResponse {
        let request = PollRequest {
            url,
            reach: self.transmitter.reach(),
            authorization: Some(&self.authorization),
            ack,
            errors: &[],
            most,
            wait: Duration::ZERO,
        };
        request.send(self.transmitter.egress()).await.unwrap()
    }
}

/// By client credentials, as a receiver gets it.
async fn token(setup: &ResourceServerSetup, scope: &str) -> Authorization {
    let client = ClientAuth {
        id: "service".into(),
        proof: Proof::Basic(Secret::new("service-secret")),
    };
    let members = [("grant_type", "client_credentials"), ("scope", scope)];
    let now = NumericDate::from_seconds(0);
    let (body, authorization) = client.form(&members, "", now).unwrap();
    let request = EndpointRequest {
        url: &setup.idp.token_endpoint().parse().unwrap(),
        reach: Reach::Anywhere,
        body,
        accept: "application/json",
        authorization,
        proof: None,
    };
    let response = egress().fetch.ask(request).await.unwrap();
    let answer = json::parse(&response.body, &Limits::default()).unwrap();
    let token = answer
        .as_object()
        .and_then(|it| it.get("access_token"));
    Authorization::Bearer(Secret::new(token.unwrap().as_str().unwrap()))
}

fn poll_request(events: &[String]) -> StreamRequest<'_> {
    StreamRequest {
        delivery: Some(DeliveryRequest::Poll),
        events: Some(events),
        description: Some("a test"),
    }
}

#[tokio::test]
async fn a_stream_is_created_read_changed_and_deleted() {
    let peer = Peer::start("ssf.manage").await;
    let streams = peer.streams();
    let events = [REVOKED.to_owned(), "https://events.example/x".to_owned()];
    let request = poll_request(&events);

    let stream = streams.create(&request).await.unwrap();
    assert_eq!(stream.issuer.as_str(), peer.setup.idp.issuer().as_str());
    assert_eq!(stream.audience, ["service"]);
    assert_eq!(stream.events_delivered, [REVOKED]);
    assert_eq!(stream.description.as_deref(), Some("a test"));
    assert!(matches!(stream.delivery, StreamDelivery::Poll(_)));
    let missing = StreamDeviation::Missing(events[1].clone());
    assert_eq!(stream.deviations(&request, Some("service")), [missing]);

    assert_eq!(streams.read(&stream.id).await.unwrap(), stream);
    assert_eq!(streams.list().await.unwrap(), std::slice::from_ref(&stream));

    let endpoint: Url = "https://api.example/events".parse().unwrap();
    let secret = Secret::new("Bearer a-secret-of-ours");
    let change = StreamRequest {
        delivery: Some(DeliveryRequest::Push {
            endpoint: &endpoint,
            authorization: Some(&secret),
        }),
        ..StreamRequest::default()
    };
    let pushed = streams.update(&stream.id, &change).await.unwrap();
    assert_eq!(pushed.deviations(&change, None), []);
    // What the change does not name stays; what a replacement does not name goes.
    assert_eq!(pushed.description, stream.description);
    let replaced = streams.replace(&stream.id, &change).await.unwrap();
    assert_eq!(replaced.description, None);

    streams.delete(&stream.id).await.unwrap();
    let fault = streams.read(&stream.id).await.unwrap_err();
    assert_eq!(fault.kind, TransmitterFaultKind::NotFound);
    assert_eq!(streams.list().await.unwrap(), []);
}

#[tokio::test]
async fn a_stream_is_paused_and_enabled_again() {
    let peer = Peer::start("ssf.manage").await;
    let streams = peer.streams();
    let stream = streams.create(&poll_request(&[])).await.unwrap();
    let status = streams.status(&stream.id).await.unwrap();
    assert_eq!((status.state, status.reason), (StreamState::Enabled, None));
    let reason = Some("maintenance");
    let paused = streams.set_status(&stream.id, StreamState::Paused, reason);
    let expected = StreamStatus {
        state: StreamState::Paused,
        reason: reason.map(str::to_owned),
    };
    assert_eq!(paused.await.unwrap(), expected);
    assert_eq!(streams.status(&stream.id).await.unwrap(), expected);
}

#[tokio::test]
async fn events_are_fetched_until_they_are_acknowledged() {
    let peer = Peer::start("ssf.manage").await;
    let streams = peer.streams();
    let stream = streams.create(&poll_request(&[])).await.unwrap();
    let StreamDelivery::Poll(url) = &stream.delivery else {
        panic!("no stream to poll")
    };
    assert_eq!(peer.poll(url, &[], 9).await, PollResponse::default());
    streams.verify(&stream.id, "one").await.unwrap();
    streams.verify(&stream.id, "two").await.unwrap();

    // They are sent behind the answer.
    let mut first = PollResponse::default();
    while !first.more {
        first = peer.poll(url, &[], 1).await;
    }
    assert_eq!(first.sets.len(), 1);
    assert_eq!(peer.poll(url, &[], 1).await, first);
    let (jti, set) = first.sets[0].clone();
    assert_eq!(set.split('.').count(), 3);
    let second = peer.poll(url, &[jti], 9).await;
    assert_eq!((second.sets.len(), second.more), (1, false));
    let error = SetError {
        jti: second.sets[0].0.clone(),
        code: "invalid_request",
        description: "the token cannot be read",
    };
    let request = PollRequest {
        url,
        reach: Reach::Anywhere,
        authorization: Some(&peer.authorization),
        ack: &[],
        errors: &[error],
        most: 9,
        wait: Duration::ZERO,
    };
    let rest = request.send(&egress()).await.unwrap();
    assert_eq!(rest, PollResponse::default());
}

#[tokio::test]
async fn a_verification_comes_over_the_stream() {
    let peer = Peer::start("ssf.manage").await;
    let streams = peer.streams();
    let stream = streams.create(&poll_request(&[])).await.unwrap();
    let state = verification_state().unwrap();
    assert_ne!(Some(&state), verification_state().as_ref());
    streams.verify(&stream.id, &state).await.unwrap();
    let StreamDelivery::Poll(url) = &stream.delivery else {
        panic!("no stream to poll")
    };
    let mut response = peer.poll(url, &[], 9).await;
    while response.sets.is_empty() {
        response = peer.poll(url, &[], 9).await;
    }
    let payload = response.sets[0].1.split('.').nth(1).unwrap();
    let payload = portcullis_core::jose::base64url::decode(payload).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    assert!(
        payload.contains(&format!(r#""state":"{state}""#)),
        "{payload}"
    );
}

#[tokio::test]
async fn a_subject_is_removed_and_added_again() {
    let peer = Peer::start("ssf.manage").await;
    let streams = peer.streams();
    let stream = streams.create(&poll_request(&[])).await.unwrap();
    let members = [("format", "opaque"), ("id", "x")];
    let members = members.map(|(name, value)| (name.into(), Json::from(value)));
    let subject = Object::new(members).unwrap();
    streams
        .remove_subject(&stream.id, &subject)
        .await
        .unwrap();
    streams
        .add_subject(&stream.id, &subject)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_token_that_only_reads_creates_nothing() {
    let peer = Peer::start("ssf.read").await;
    assert_eq!(peer.streams().list().await.unwrap(), []);
    let fault = peer
        .streams()
        .create(&poll_request(&[]))
        .await
        .unwrap_err();
    assert_eq!(fault.kind, TransmitterFaultKind::Forbidden);
    assert!(
        fault.to_string().contains("`insufficient_scope`"),
        "{fault}"
    );
    let stranger = Authorization::header("Bearer nothing-like-a-token").unwrap();
    let fault = peer.transmitter.manage(&stranger).list().await;
    assert_eq!(fault.unwrap_err().kind, TransmitterFaultKind::Unauthorized);
}
