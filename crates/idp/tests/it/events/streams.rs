//! Streams over time: polls that wait, verification, silence, and a status that changes by itself.

use super::{fetched, on_command, polled};
use crate::receiver::Receiver;
use crate::ssf::{REVOKED, program, pushed_to, read, started};
use crate::{clock, json, post};
use portcullis_idp::{EventSettings, Idp, IdpConfig, SecurityEvent, StreamStatus};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const UPDATED: &str = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

fn config(events: EventSettings) -> IdpConfig {
    IdpConfig {
        algorithm: "ES256".to_owned(),
        events,
        ..IdpConfig::default()
    }
}

/// Returns when the provider has read the acknowledgement of its latest event.
async fn acknowledged(idp: &Idp) {
    while idp.event_notices()[0].waits {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_poll_waits_for_an_event() {
    let idp = started().await;
    let program = program(&idp, "ssf.manage").await;
    let path = format!("/ssf/poll/{}", polled(&program).await);
    let first = idp
        .send_event("alice", &SecurityEvent::SessionRevoked)
        .await;
    // The acknowledgement shows that the poll has begun.
    let poll = program.send("POST", &path, json!({ "ack": [first[0].jti] }));
    let send = async {
        acknowledged(&idp).await;
        idp.send_event("bob", &SecurityEvent::SessionRevoked)
            .await
    };
    let ((status, answer), second) = tokio::join!(poll, send);
    assert_eq!(status, 200);
    assert_eq!(crate::members(&answer["sets"]), [second[0].jti.as_str()]);
}

#[tokio::test]
async fn a_poll_ends_with_the_provider_and_with_its_stream() {
    let idp = started().await;
    let program = program(&idp, "ssf.manage").await;
    let stream = polled(&program).await;
    let path = format!("/ssf/poll/{stream}");
    let first = idp
        .send_event("alice", &SecurityEvent::SessionRevoked)
        .await;
    let poll = program.send("POST", &path, json!({ "ack": [first[0].jti] }));
    let remove = async {
        acknowledged(&idp).await;
        let path = format!("/ssf/streams?stream_id={stream}");
        program.send("DELETE", &path, Value::Null).await.0
    };
    let ((status, _), removed) = tokio::join!(poll, remove);
    assert_eq!((status, removed), (404, 204));

    let path = format!("/ssf/poll/{}", polled(&program).await);
    let first = idp
        .send_event("alice", &SecurityEvent::SessionRevoked)
        .await;
    let request = crate::client()
        .post(format!("{}{path}", idp.issuer()))
        .bearer_auth(program.token())
        .header("content-type", "application/json")
        .body(json!({ "ack": [first[0].jti] }).to_string());
    let poll = tokio::spawn(async move { json(request.send().await.unwrap()).await });
    acknowledged(&idp).await;
    idp.shutdown().await;
    let (status, answer) = poll.await.unwrap();
    assert_eq!(
        (status, answer),
        (200, json!({ "sets": {}, "moreAvailable": false }))
    );
}

#[tokio::test]
async fn a_poll_waits_no_longer_than_the_settings_say() {
    let settings = EventSettings {
        poll_wait: 0,
        ..EventSettings::default()
    };
    let idp = Idp::start(config(settings)).await.unwrap();
    let program = program(&idp, "ssf.manage").await;
    let path = format!("/ssf/poll/{}", polled(&program).await);
    let (status, answer) = program.send("POST", &path, json!({})).await;
    assert_eq!((status, &answer["sets"]), (200, &json!({})));
}

#[tokio::test]
async fn a_stream_is_not_verified_too_often() {
    let (time, clock) = clock();
    let settings = EventSettings {
        min_verification_interval: 60,
        ..EventSettings::default()
    };
    let idp = Idp::start_at(config(settings), clock).await.unwrap();
    let program = program(&idp, "ssf.manage").await;
    let (_, stream) = program.send("POST", "/ssf/streams", json!({})).await;
    assert_eq!(stream["min_verification_interval"], 60);
    assert_eq!(stream["inactivity_timeout"], Value::Null);
    let body = json!({ "stream_id": stream["stream_id"], "state": "s" });
    let verify = async || {
        program
            .send("POST", "/ssf/verify", body.clone())
            .await
            .0
    };
    assert_eq!(verify().await, 204);
    time.fetch_add(59, Ordering::SeqCst);
    assert_eq!(verify().await, 429);
    time.fetch_add(1, Ordering::SeqCst);
    assert_eq!(verify().await, 204, "a refused request does not count");
}

#[tokio::test]
async fn a_stream_is_paused_when_its_client_is_silent() {
    let (time, clock) = clock();
    let settings = EventSettings {
        inactivity_timeout: 600,
        ..EventSettings::default()
    };
    let idp = Idp::start_at(config(settings), clock).await.unwrap();
    let program = program(&idp, "ssf.manage").await;
    let (_, stream) = program.send("POST", "/ssf/streams", json!({})).await;
    assert_eq!(stream["inactivity_timeout"], 600);
    let id = stream["stream_id"].as_str().unwrap();
    let path = format!("/ssf/status?stream_id={id}");
    let status = async || program.send("GET", &path, Value::Null).await.1["status"].clone();
    time.fetch_add(599, Ordering::SeqCst);
    assert_eq!(status().await, "enabled");
    time.fetch_add(599, Ordering::SeqCst);
    assert_eq!(status().await, "enabled", "the request before counts");
    time.fetch_add(600, Ordering::SeqCst);
    idp.send_event("alice", &SecurityEvent::SessionRevoked)
        .await;
    assert_eq!(status().await, "paused");
    let told = fetched(&idp, &program, id).await;
    let paused = json!({ UPDATED: { "status": "paused", "reason": "inactivity_timeout" } });
    assert_eq!((told.len(), &told[0]["events"]), (1, &paused));
    program.set_status(id, "enabled").await;
    let told = fetched(&idp, &program, id).await;
    assert!(told[0]["events"][REVOKED].is_object(), "it waited");
}

#[tokio::test]
async fn a_provider_that_stops_a_stream_says_so_first() {
    let (idp, receiver) = (started().await, Receiver::start(&[]).await);
    let program = program(&idp, "ssf.manage").await;
    let pushed = program.stream(pushed_to(&receiver)).await;
    let fetches = polled(&program).await;
    for stream in [&pushed, &fetches] {
        let is_known = idp
            .set_stream_status(stream, StreamStatus::Paused, Some("maintenance"))
            .await;
        assert!(is_known);
    }
    let notices = idp
        .send_event("alice", &SecurityEvent::SessionRevoked)
        .await;
    assert!(
        notices
            .iter()
            .all(|it| it.waits && it.status.is_none())
    );
    let paused = json!({ UPDATED: { "status": "paused", "reason": "maintenance" } });
    let told = read(&idp, &receiver.messages()[0][2]);
    assert_eq!((receiver.messages().len(), &told["events"]), (1, &paused));
    assert_eq!(told["sub_id"], json!({ "format": "opaque", "id": pushed }));
    let told = fetched(&idp, &program, &fetches).await;
    assert_eq!((told.len(), &told[0]["events"]), (1, &paused));

    let form = format!("stream={pushed}&status=enabled");
    let (status, streams) = json(post(&idp, "/dev/stream", &form, None).await).await;
    assert_eq!(status, 200, "{streams}");
    let messages = receiver.messages();
    let told: Vec<Value> = messages.iter().map(|it| read(&idp, &it[2])).collect();
    assert_eq!(
        told[1]["events"],
        json!({ UPDATED: { "status": "enabled" } })
    );
    assert!(told[2]["events"][REVOKED].is_object(), "in this order");

    idp.set_stream_status(&fetches, StreamStatus::Disabled, None)
        .await;
    let told = fetched(&idp, &program, &fetches).await;
    assert_eq!(
        (told.len(), &told[0]["events"]),
        (1, &json!({ UPDATED: { "status": "disabled" } })),
        "what waited is dropped"
    );
    let url = format!("{}/dev/stream", idp.issuer());
    let (_, streams) = json(reqwest::get(url).await.unwrap()).await;
    assert_eq!(
        (&streams[1]["status"], &streams[1]["waiting"]),
        (&json!("disabled"), &json!(0))
    );
    assert!(!streams.to_string().contains("Bearer"), "no secret");
    for wrong in [
        "stream=x&status=paused",
        "stream=x",
        "stream=x&status=tired",
    ] {
        let response = post(&idp, "/dev/stream", wrong, None).await;
        assert_eq!(response.status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_provider_verifies_its_streams_by_itself() {
    let idp = started().await;
    let program = program(&idp, "ssf.manage").await;
    let stream = polled(&program).await;
    assert_eq!(idp.send_verification().await.len(), 1);
    assert_eq!(on_command(&idp, &[("event", "verification")]).await.0, 200);
    let told = fetched(&idp, &program, &stream).await;
    for event in &told {
        assert_eq!(event["events"], json!({ VERIFICATION: {} }), "no `state`");
    }
    assert_eq!(told.len(), 2);
}

#[tokio::test]
async fn events_arrive_in_their_order_when_a_receiver_is_back() {
    let refusals = [503, 503, 503, 503];
    let (idp, receiver) = (started().await, Receiver::start(&refusals).await);
    let program = program(&idp, "ssf.manage").await;
    program.stream(pushed_to(&receiver)).await;
    let first = idp
        .send_event("alice", &SecurityEvent::SessionRevoked)
        .await;
    assert_eq!((first[0].status, first[0].waits), (Some(503), true));
    let second = idp
        .send_event("bob", &SecurityEvent::SessionRevoked)
        .await;
    assert_eq!((second[0].status, second[0].waits), (Some(202), false));
    let messages = receiver.messages();
    let told: Vec<Value> = messages.iter().map(|it| read(&idp, &it[2])).collect();
    assert_eq!(
        (&told[4]["jti"], &told[5]["jti"], told.len()),
        (&json!(first[0].jti), &json!(second[0].jti), 6)
    );
}
