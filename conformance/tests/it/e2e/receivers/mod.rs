//! Ends that arrive: a logout at the provider, and events of a transmitter that is not ours, end
//! tokens and WebSockets at every replica.

mod command;
mod replicas;
mod shape;
mod transmitter;

use self::replicas::{AUTHORIZATION, ReplicaPlan, close_reasons};
use self::transmitter::{AUDIENCE, Transmitter};
use super::chromium::Chromium;
use super::provider::{Provider, UserTokens};
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_idp::{Idp, IdpConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const CREDENTIAL: &str = "https://schemas.openid.net/secevent/caep/event-type/credential-change";
const LOGOUT: &str = "[issuer.logout]\nclients = [\"web\"]\n";

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// An application's page, which the browser comes back to.
async fn application() -> String {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let page = Router::new().fallback(async || "Welcome back");
    tokio::spawn(async move { axum::serve(socket, page).await });
    format!("http://{address}/callback")
}

/// Signs somebody in at npm `oidc-provider`, by its own pages.
async fn sign_in(browser: &mut Chromium, provider: &Provider, name: &str) -> UserTokens {
    let redirect_uri = application().await;
    let start = provider.authorization_url_to(&redirect_uri);
    browser.open(start.as_str()).await;
    browser.write("input[name=login]", name).await;
    browser.write("input[name=password]", name).await;
    browser.press("Sign-in").await;
    browser.press("Continue").await;
    let back = Url::parse(&browser.at(&redirect_uri).await).unwrap();
    provider.redeem_from(&back, &redirect_uri).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_in_the_browser_ends_tokens_and_websockets_at_every_replica() {
    let (Some(plan), Some(mut alice)) = (ReplicaPlan::new("logout"), Chromium::start().await)
    else {
        return;
    };
    let uri = plan.receiver("logout");
    let Some(provider) = Provider::certified_with("ES256", Some(&uri)).await else {
        return;
    };
    let replicas = plan.start(&provider.issuer, LOGOUT).await;
    let tokens = sign_in(&mut alice, &provider, "alice").await;
    let mut bob = Chromium::start().await.unwrap();
    let others = sign_in(&mut bob, &provider, "bob").await;
    let sid = &claims(&tokens.access_token)["sid"];
    assert_eq!(*sid, claims(&tokens.id_token)["sid"]);
    assert!(sid.is_string());
    assert_eq!(replicas.statuses(&tokens.access_token).await, [200; 3]);
    let sockets = replicas.sockets(&tokens.access_token).await;
    let mut others_sockets = replicas.sockets(&others.access_token).await;

    let end = format!(
        "{}/session/end?id_token_hint={}",
        provider.issuer, tokens.id_token
    );
    alice.open(&end).await;
    alice.press("Yes, sign me out").await;
    alice.see("Sign-out Success").await;
    replicas.refuse(&tokens.access_token).await;
    let reasons = close_reasons(sockets).await;
    assert_eq!(reasons, ["the access token was revoked"; 3]);
    assert_eq!(replicas.statuses(&others.access_token).await, [200; 3]);
    for socket in &mut others_sockets {
        let nothing = socket.try_read(&mut [0; 1]);
        assert!(nothing.is_err(), "the other's WebSocket goes on");
    }
    // Its pages fetch a font from elsewhere, which is not our affair.
    for browser in [&mut alice, &mut bob] {
        browser.take_complaints().await;
    }
}

/// The settings of one stream of pushed events.
fn pushed(transmitter: &Transmitter, issuer: &str) -> String {
    format!(
        "[[events]]\nname = \"caep\"\nissuer = \"{}\"\naudience = \"{AUDIENCE}\"\n\
         tokens_of = \"{issuer}\"\nauthorization_file = \"{{authorization}}\"\n",
        transmitter.issuer
    )
}

/// A command to push an event to an address.
fn push(url: &str, event: &str, subject: &Value, more: Value) -> Value {
    let mut command = json!({
        "url": url,
        "authorization": AUTHORIZATION,
        "event": event,
        "subject": subject,
    });
    let more = more.as_object().unwrap().clone();
    command.as_object_mut().unwrap().extend(more);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_event_ends_tokens_and_websockets_at_every_replica() {
    let (Some(plan), Some(mut transmitter)) =
        (ReplicaPlan::new("push"), Transmitter::start("ES256").await)
    else {
        return;
    };
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let issuer = idp.issuer().as_str();
    let url = plan.receiver("events/caep");
    let replicas = plan.start(issuer, &pushed(&transmitter, issuer)).await;
    let token = |sid: &str| idp.token("alice").claim("sid", sid).sign();
    let (revoked, kept) = (token("s-1"), token("s-2"));
    let user = json!({ "format": "iss_sub", "iss": issuer, "sub": claims(&kept)["sub"] });
    let session = json!({
        "format": "complex",
        "user": user,
        "session": { "format": "opaque", "id": "s-1" },
    });

    // What is wrong with an event is said, and it ends nothing.
    for (more, err) in [
        (json!({ "key": "other" }), "invalid_key"),
        (json!({ "claims": { "aud": "other" } }), "invalid_audience"),
        (
            json!({ "claims": { "iss": "https://other.example" } }),
            "invalid_issuer",
        ),
        (
            json!({ "authorization": "Bearer guessed" }),
            "authentication_failed",
        ),
        (json!({ "header": { "typ": "at+jwt" } }), "invalid_request"),
        (
            json!({ "claims": { "exp": 4_000_000_000_u64 } }),
            "invalid_request",
        ),
        (json!({ "claims": { "jti": null } }), "invalid_request"),
    ] {
        let answer = transmitter
            .ask("push", push(&url, REVOKED, &session, more.clone()))
            .await;
        let told: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&answer["status"], &told["err"]),
            (&json!(400), &json!(err)),
            "{more}"
        );
    }
    assert_eq!(replicas.statuses(&revoked).await, [200; 3]);

    let sockets = replicas.sockets(&revoked).await;
    let answer = transmitter
        .ask("push", push(&url, REVOKED, &session, json!({})))
        .await;
    assert_eq!(
        (&answer["status"], &answer["body"]),
        (&json!(202), &json!(""))
    );
    replicas.refuse(&revoked).await;
    let reasons = close_reasons(sockets).await;
    assert_eq!(reasons, ["the access token was revoked"; 3]);
    assert_eq!(replicas.statuses(&kept).await, [200; 3], "another session");

    // A change of the password ends every token until then, and the same event is taken twice.
    let sockets = replicas.sockets(&kept).await;
    let members = json!({
        "jti": "once",
        "members": { "credential_type": "password", "change_type": "update" },
    });
    for _ in 0..2 {
        let command = push(&url, CREDENTIAL, &user, members.clone());
        assert_eq!(transmitter.ask("push", command).await["status"], 202);
    }
    replicas.refuse(&kept).await;
    assert_eq!(close_reasons(sockets).await.len(), 3);
}

/// Many at a time, as a transmitter sends them that was away: each of them ends somebody's tokens.
#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_a_crowd_is_taken_once() {
    const CROWD: usize = 1_000;
    let (Some(plan), Some(mut transmitter)) =
        (ReplicaPlan::new("crowd"), Transmitter::start("EdDSA").await)
    else {
        return;
    };
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let issuer = idp.issuer().as_str();
    let url = plan.receiver("events/caep");
    let replicas = plan.start(issuer, &pushed(&transmitter, issuer)).await;
    let token = |number: usize| {
        idp.token("alice")
            .claim("sub", format!("user-{number}"))
            .sign()
    };
    let (first, last, nobody) = (token(0), token(CROWD - 1), token(CROWD));
    let user = json!({ "format": "iss_sub", "iss": issuer, "sub": "user-{n}" });
    let more = json!({ "count": CROWD, "connections": 4, "processes": 2 });
    let command = push(&url, REVOKED, &user, more);
    let answer = transmitter.ask("load_push", command).await;
    assert_eq!(answer["statuses"], json!({ "202": CROWD }), "{answer}");
    for token in [first, last] {
        replicas.refuse(&token).await;
    }
    assert_eq!(replicas.statuses(&nobody).await, [200; 3]);
    crate::tally::tell(&format!("crowd of {CROWD} pushed events: {answer}"));
}

/// The settings of one stream of events that are fetched.
fn polled(transmitter: &Transmitter, issuer: &str) -> String {
    format!(
        "[[events]]\nname = \"caep\"\nissuer = \"{0}\"\naudience = \"{AUDIENCE}\"\n\
         tokens_of = \"{issuer}\"\ndelivery = \"poll\"\npoll_url = \"{0}/poll\"\n\
         authorization_file = \"{{poll}}\"\n",
        transmitter.issuer
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetched_event_ends_tokens_and_websockets_at_every_replica() {
    let (Some(plan), Some(mut transmitter)) =
        (ReplicaPlan::new("poll"), Transmitter::start("ES256").await)
    else {
        return;
    };
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let issuer = idp.issuer().as_str();
    let replicas = plan.start(issuer, &polled(&transmitter, issuer)).await;
    let token = |sid: &str| idp.token("alice").claim("sid", sid).sign();
    let (revoked, kept) = (token("s-1"), token("s-2"));
    let subject = json!({
        "format": "complex",
        "user": { "format": "iss_sub", "iss": issuer, "sub": claims(&kept)["sub"] },
        "session": { "format": "opaque", "id": "s-1" },
    });
    let sockets = replicas.sockets(&revoked).await;
    let event = json!({ "event": REVOKED, "subject": subject });
    let mut forged = event.clone();
    forged["key"] = json!("other");
    let forged = transmitter.ask("queue", forged).await["jti"].clone();
    let told = transmitter
        .ask("wait", json!({ "jtis": [forged] }))
        .await;
    let err = &told["errors"][forged.as_str().unwrap()]["err"];
    assert_eq!(err, "invalid_key", "{told}");
    assert_eq!(replicas.statuses(&revoked).await, [200; 3]);

    let jti = transmitter.ask("queue", event).await["jti"].clone();
    let told = transmitter.ask("wait", json!({ "jtis": [jti] })).await;
    assert_eq!(
        (&told["acknowledged"], &told["errors"]),
        (&json!(1), &json!({}))
    );
    replicas.refuse(&revoked).await;
    assert_eq!(close_reasons(sockets).await.len(), 3);
    assert_eq!(replicas.statuses(&kept).await, [200; 3], "another session");

    // What is fetched is written down like what is sent, by the replica that fetched it.
    let records = replicas.event_records(2).await;
    let facts = |record: &Value| {
        ["outcome", "event", "receiver", "jti"].map(|name| record[name].as_str().map(str::to_owned))
    };
    let fact = |text: &str| Some(text.to_owned());
    let text = |jti: &Value| fact(jti.as_str().unwrap());
    assert_eq!(
        records.iter().map(facts).collect::<Vec<_>>(),
        [
            [fact("refused"), fact("none"), fact("caep"), text(&forged)],
            [
                fact("applied"),
                fact("session-revoked"),
                fact("caep"),
                text(&jti)
            ],
        ]
    );
    assert!(
        records
            .iter()
            .all(|record| record.get("request_id").is_none())
    );
    assert!(
        records[1]["marks"][0]
            .as_str()
            .unwrap()
            .starts_with("session:")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_a_crowd_is_fetched() {
    const CROWD: usize = 1_000;
    let (Some(plan), Some(mut transmitter)) = (
        ReplicaPlan::new("fetched-crowd"),
        Transmitter::start("EdDSA").await,
    ) else {
        return;
    };
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let issuer = idp.issuer().as_str();
    let replicas = plan.start(issuer, &polled(&transmitter, issuer)).await;
    let token = |number: usize| {
        let token = idp.token("alice");
        token.claim("sub", format!("user-{number}")).sign()
    };
    let (last, nobody) = (token(CROWD - 1), token(CROWD));
    let command = json!({
        "event": REVOKED,
        "subject": { "format": "iss_sub", "iss": issuer, "sub": "user-{n}" },
        "count": CROWD,
    });
    let answer = transmitter.ask("load_poll", command).await;
    assert_eq!(
        (
            &answer["acknowledged"],
            &answer["errors"],
            &answer["waiting"]
        ),
        (&json!(CROWD), &json!({}), &json!(0)),
        "{answer}"
    );
    replicas.refuse(&last).await;
    assert_eq!(replicas.statuses(&nobody).await, [200; 3]);
    crate::tally::tell(&format!("crowd of {CROWD} fetched events: {answer}"));
}
