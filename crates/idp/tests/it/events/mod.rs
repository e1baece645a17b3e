//! Events on command: every kind, every way to name a subject, and what became of them.

mod flaws;
mod streams;

use crate::key::claims;
use crate::receiver::Receiver;
use crate::ssf::{Program, REVOKED, program, pushed_to, read, started};
use crate::{code, code_form, json, post};
use portcullis_idp::{EventSubject, Idp, SecurityEvent};
use serde_json::{Value, json};

const POLLED: &str = "urn:ietf:rfc:8936";

async fn polled(program: &Program<'_>) -> String {
    let delivery = json!({ "delivery": { "method": POLLED } });
    program.stream(delivery).await
}

/// What waits in a polled stream, without waiting for it.
async fn fetched(idp: &Idp, program: &Program<'_>, stream: &str) -> Vec<Value> {
    let path = format!("/ssf/poll/{stream}");
    let body = json!({ "returnImmediately": true });
    let (status, answer) = program.send("POST", &path, body).await;
    assert_eq!(status, 200, "{answer}");
    let sets = answer["sets"].as_object().unwrap();
    let ack: Vec<&String> = sets.keys().collect();
    let body = json!({ "maxEvents": 0, "ack": ack });
    assert_eq!(program.send("POST", &path, body).await.0, 200);
    sets.values()
        .map(|set| read(idp, set.as_str().unwrap()))
        .collect()
}

async fn on_command(idp: &Idp, form: &[(&str, &str)]) -> (u16, Value) {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    json(post(idp, "/dev/event", &body.finish(), None).await).await
}

/// CAEP 1.0, section 3, and RISC 1.0, section 2.
#[tokio::test]
async fn every_event_is_sent_on_command() {
    let idp = started().await;
    let program = program(&idp, "ssf.manage").await;
    let stream = polled(&program).await;
    let caep = [
        ("session-revoked", json!({})),
        ("token-claims-change", json!({ "claims": {} })),
        (
            "credential-change",
            json!({ "credential_type": "password", "change_type": "update" }),
        ),
        (
            "assurance-level-change",
            json!({
                "namespace": "NIST-AAL",
                "current_level": "nist-aal1",
                "previous_level": "nist-aal2",
                "change_direction": "decrease",
            }),
        ),
        (
            "device-compliance-change",
            json!({ "previous_status": "compliant", "current_status": "not-compliant" }),
        ),
        ("session-established", json!({})),
        ("session-presented", json!({})),
        (
            "risk-level-change",
            json!({ "principal": "USER", "current_level": "HIGH", "previous_level": "LOW" }),
        ),
    ];
    let risc = [
        ("account-credential-change-required", json!({})),
        ("account-purged", json!({})),
        ("account-disabled", json!({})),
        ("account-enabled", json!({})),
        ("identifier-changed", json!({})),
        ("identifier-recycled", json!({})),
        (
            "credential-compromise",
            json!({ "credential_type": "password" }),
        ),
        ("opt-in", json!({})),
        ("opt-out-initiated", json!({})),
        ("opt-out-cancelled", json!({})),
        ("opt-out-effective", json!({})),
        ("recovery-activated", json!({})),
        ("recovery-information-changed", json!({})),
    ];
    let caep = caep.map(|(name, members)| ("caep", name, members));
    let risc = risc.map(|(name, members)| ("risc", name, members));
    for (family, name, members) in caep.into_iter().chain(risc) {
        let (status, notices) = on_command(&idp, &[("user", "alice"), ("event", name)]).await;
        let address = format!("https://schemas.openid.net/secevent/{family}/event-type/{name}");
        assert_eq!(
            (status, &notices[0]["event"], &notices[0]["waits"]),
            (200, &json!(address), &json!(true)),
            "{notices}"
        );
        let told = fetched(&idp, &program, &stream).await.remove(0);
        let mut event = told["events"][&address].clone();
        let time = event
            .as_object_mut()
            .unwrap()
            .remove("event_timestamp");
        assert_eq!(event, members, "{name}");
        assert_eq!(time.is_some(), family == "caep", "{name}");
    }
    let other = "https://schemas.openid.net/secevent/oauth/event-type/token-revoked";
    on_command(
        &idp,
        &[
            ("user", "alice"),
            ("event", other),
            ("members", r#"{"a": 1}"#),
        ],
    )
    .await;
    let told = fetched(&idp, &program, &stream).await.remove(0);
    assert_eq!(told["events"], json!({ (other): { "a": 1 } }));
}

#[tokio::test]
async fn members_are_added_changed_and_left_out() {
    let idp = started().await;
    let program = program(&idp, "ssf.manage").await;
    let stream = polled(&program).await;
    let form = [
        ("user", "alice"),
        ("event", "session-revoked"),
        ("event_timestamp", "1700000000"),
        ("initiating_entity", "admin"),
        ("reason_admin", "left the company"),
        (
            "reason_user",
            r#"{"en": "Sign in again", "de": "Neu anmelden"}"#,
        ),
    ];
    on_command(&idp, &form).await;
    let told = fetched(&idp, &program, &stream).await.remove(0);
    assert_eq!(
        told["events"][REVOKED],
        json!({
            "event_timestamp": 1_700_000_000,
            "initiating_entity": "admin",
            "reason_admin": { "en": "left the company" },
            "reason_user": { "en": "Sign in again", "de": "Neu anmelden" },
        })
    );
    let builder = idp.event("alice", SecurityEvent::SessionRevoked);
    builder
        .member("event_timestamp", Value::Null)
        .send()
        .await;
    let told = fetched(&idp, &program, &stream).await.remove(0);
    assert_eq!(told["events"][REVOKED], json!({}));
    for wrong in [
        [("event", "session-revoked"), ("event_timestamp", "noon")],
        [("event", "session-revoked"), ("members", "[]")],
        [("event", "session-revoked"), ("subject", "phone")],
        [("event", "session-revoked"), ("subject", "opaque")],
        [("event", "session-revoked"), ("subject", "jwt_id")],
        [("event", "session-revoked"), ("flaw", "nonce")],
        [("event", "session-revoked"), ("colour", "red")],
        [("event", "tea"), ("reason_user", "thirst")],
    ] {
        let form = [&[("user", "alice")], &wrong[..]].concat();
        assert_eq!(on_command(&idp, &form).await.0, 400, "{wrong:?}");
    }
}

#[tokio::test]
async fn a_subject_is_named_as_the_command_says() {
    let idp = started().await;
    let program = program(&idp, "ssf.manage").await;
    let stream = polled(&program).await;
    let (_, tokens) = json(post(&idp, "/token", &code_form(&code(&idp).await), None).await).await;
    let sid = claims(tokens["id_token"].as_str().unwrap())["sid"].clone();
    let sub = claims(&idp.token("alice").sign())["sub"].clone();
    let issuer = idp.issuer().as_str();
    let user = json!({ "format": "iss_sub", "iss": issuer, "sub": sub });
    let opaque = |id: &Value| json!({ "format": "opaque", "id": id });
    let cases: [(&[(&str, &str)], Value); 9] = [
        (&[], user.clone()),
        (&[("subject", "iss_sub")], user.clone()),
        (
            &[("subject", "complex")],
            json!({ "format": "complex", "user": user, "session": opaque(&sid) }),
        ),
        (
            &[("session", "s-1")],
            json!({ "format": "complex", "user": user, "session": opaque(&json!("s-1")) }),
        ),
        (
            &[("device", "d-1"), ("session", "s-1")],
            json!({
                "format": "complex",
                "user": user,
                "session": opaque(&json!("s-1")),
                "device": opaque(&json!("d-1")),
            }),
        ),
        (
            &[("subject", "email")],
            json!({ "format": "email", "email": "alice@example.test" }),
        ),
        (
            &[("subject", "opaque"), ("id", "o-1")],
            opaque(&json!("o-1")),
        ),
        (
            &[("subject", "jwt_id"), ("jti", "j-1")],
            json!({ "format": "jwt_id", "iss": issuer, "jti": "j-1" }),
        ),
        (
            &[(
                "subject",
                r#"{"format": "phone_number", "phone_number": "+1"}"#,
            )],
            json!({ "format": "phone_number", "phone_number": "+1" }),
        ),
    ];
    for (form, expected) in cases {
        let form = [&[("user", "alice"), ("event", "session-revoked")], form].concat();
        on_command(&idp, &form).await;
        let told = fetched(&idp, &program, &stream).await.remove(0);
        assert_eq!(told["sub_id"], expected, "{form:?}");
    }
    on_command(&idp, &[("user", "alice"), ("event", "identifier-recycled")]).await;
    let told = fetched(&idp, &program, &stream).await.remove(0);
    assert_eq!(told["sub_id"]["format"], "email", "RISC 1.0, section 2.6");
}

#[tokio::test]
async fn an_event_can_be_signed_without_any_stream() {
    let idp = started().await;
    let set = idp
        .event("carol", SecurityEvent::AccountPurged)
        .subject(EventSubject::Opaque("o-1".to_owned()))
        .sign("service");
    let told = read(&idp, &set);
    assert_eq!(
        (&told["aud"], &told["sub_id"]["id"]),
        (&json!("service"), &json!("o-1"))
    );
    assert!(idp.event_notices().is_empty());
}

#[tokio::test]
async fn what_a_receiver_refuses_is_shown() {
    let (idp, receiver) = (started().await, Receiver::start(&[400]).await);
    receiver.answer_with(r#"{"err": "invalid_key", "description": "no such key"}"#);
    let program = program(&idp, "ssf.manage").await;
    program.stream(pushed_to(&receiver)).await;
    let stream = polled(&program).await;
    let form = [("user", "alice"), ("event", "session-revoked")];
    let (_, notices) = on_command(&idp, &form).await;
    assert_eq!(
        (
            &notices[0]["status"],
            &notices[0]["err"],
            &notices[0]["description"]
        ),
        (&json!(400), &json!("invalid_key"), &json!("no such key"))
    );
    assert_eq!(notices[1]["err"], Value::Null);
    let jti = notices[1]["jti"].as_str().unwrap();
    let errors = json!({ (jti): { "err": "invalid_issuer", "description": "who?" } });
    let body = json!({ "maxEvents": 0, "setErrs": errors });
    program
        .send("POST", &format!("/ssf/poll/{stream}"), body)
        .await;
    let latest = idp.event_notices();
    let error = latest[0].error.as_ref().unwrap();
    assert_eq!(
        (latest[0].jti.as_str(), latest[0].waits, error.err.as_str()),
        (jti, false, "invalid_issuer")
    );
    let url = format!("{}/dev/event", idp.issuer());
    let (_, listed) = json(reqwest::get(url).await.unwrap()).await;
    assert_eq!(
        (&listed[0]["err"], &listed[1]["err"]),
        (&json!("invalid_issuer"), &json!("invalid_key"))
    );
    assert_eq!(
        (&listed[0]["user"], listed[2].is_null()),
        (&json!("alice"), true)
    );
}
