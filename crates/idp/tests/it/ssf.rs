//! Streams of security events: made, pushed, fetched, paused; and the events themselves.

use crate::key::claims;
use crate::receiver::Receiver;
use crate::{SERVICE, client, code, code_form, json, post};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use portcullis_idp::{Dialect, Idp, IdpConfig, SecurityEvent};
use serde_json::{Value, json};

pub(crate) const REVOKED: &str =
    "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const CREDENTIAL: &str = "https://schemas.openid.net/secevent/caep/event-type/credential-change";
const CLAIMS: &str = "https://schemas.openid.net/secevent/caep/event-type/token-claims-change";
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// A receiver's program, with a token.
pub(crate) struct Program<'i> {
    idp: &'i Idp,
    token: String,
}

pub(crate) async fn started() -> Idp {
    Idp::start(IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    })
    .await
    .unwrap()
}

pub(crate) async fn program<'i>(idp: &'i Idp, scope: &str) -> Program<'i> {
    let form = format!("grant_type=client_credentials&scope={scope}");
    let (status, answer) = json(post(idp, "/token", &form, SERVICE).await).await;
    assert_eq!(status, 200, "{answer}");
    Program {
        idp,
        token: answer["access_token"].as_str().unwrap().to_owned(),
    }
}

impl Program<'_> {
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.idp.issuer());
        let request = client()
            .request(method.parse().unwrap(), url)
            .bearer_auth(&self.token);
        let request = match body {
            Value::Null => request,
            body => request
                .header("content-type", "application/json")
                .body(body.to_string()),
        };
        json(request.send().await.unwrap()).await
    }

    pub(crate) async fn stream(&self, wanted: Value) -> String {
        let (status, stream) = self.send("POST", "/ssf/streams", wanted).await;
        assert_eq!(status, 201, "{stream}");
        stream["stream_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn set_status(&self, stream: &str, status: &str) -> Value {
        let body = json!({ "stream_id": stream, "status": status, "reason": "a test" });
        self.send("POST", "/ssf/status", body).await.1
    }
}

pub(crate) fn pushed_to(receiver: &Receiver) -> Value {
    json!({
        "events_requested": [REVOKED, "https://schemas.example/unknown"],
        "delivery": { "method": "urn:ietf:rfc:8935", "endpoint_url": receiver.url, "authorization_header": "Bearer s" },
    })
}

/// By another library.
pub(crate) fn read(idp: &Idp, set: &str) -> Value {
    let keys: JwkSet = serde_json::from_str(&idp.jwks()).unwrap();
    let header = decode_header(set).unwrap();
    assert_eq!(header.typ.as_deref(), Some("secevent+jwt"));
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["service"]);
    validation.set_required_spec_claims(&["aud", "iss"]);
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    decode::<Value>(set, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn the_metadata_is_before_the_issuers_path() {
    let idp = started().await;
    let url = format!("{}/.well-known/ssf-configuration", idp.issuer());
    let (_, document) = json(reqwest::get(url).await.unwrap()).await;
    assert_eq!(
        (&document["issuer"], &document["spec_version"]),
        (&json!(idp.issuer().as_str()), &json!("1_0"))
    );
    let methods = json!(["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"]);
    assert_eq!(
        (
            &document["delivery_methods_supported"],
            &document["default_subjects"]
        ),
        (&methods, &json!("ALL"))
    );
    let entra = IdpConfig {
        dialect: Dialect::Entra,
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    };
    let entra = Idp::start(entra).await.unwrap();
    let path = entra
        .issuer()
        .as_str()
        .strip_prefix(entra.base())
        .unwrap();
    let url = format!("{}/.well-known/ssf-configuration{path}", entra.base());
    assert_eq!(
        json(reqwest::get(url).await.unwrap()).await.1["issuer"],
        entra.issuer().as_str()
    );
}

#[tokio::test]
async fn an_event_is_pushed_again_until_it_is_taken() {
    let (idp, receiver) = (started().await, Receiver::start(&[503, 202]).await);
    let program = program(&idp, "ssf.manage").await;
    let stream = program.stream(pushed_to(&receiver)).await;
    let notices = idp
        .send_event("alice", &SecurityEvent::SessionRevoked)
        .await;
    assert_eq!(notices.len(), 1);
    let notice = &notices[0];
    assert_eq!(
        (&notice.stream, notice.client.as_str()),
        (&stream, "service")
    );
    assert_eq!((notice.status, notice.waits), (Some(202), false));
    let messages = receiver.messages();
    assert_eq!(
        (messages.len(), &messages[0]),
        (2, &messages[1]),
        "the same event"
    );
    let [content_type, authorization, set] = &messages[0];
    assert_eq!(
        (content_type.as_str(), authorization.as_str()),
        ("application/secevent+jwt", "Bearer s")
    );
    let told = read(&idp, set);
    assert_eq!(
        crate::members(&told),
        ["aud", "events", "iat", "iss", "jti", "sub_id", "txn"],
        "no `sub`, no `exp`"
    );
    let sub = claims(&idp.token("alice").sign())["sub"].clone();
    assert_eq!(
        told["sub_id"],
        json!({ "format": "iss_sub", "iss": idp.issuer().as_str(), "sub": sub })
    );
    assert_eq!(
        (&told["jti"], &told["iss"]),
        (&json!(notice.jti), &json!(idp.issuer().as_str()))
    );
    assert!(told["events"][REVOKED]["event_timestamp"].is_u64());
    let disabled = idp
        .send_event("alice", &SecurityEvent::AccountDisabled)
        .await;
    assert!(disabled.is_empty(), "not asked for");
}

#[tokio::test]
async fn an_event_that_is_refused_is_not_sent_again() {
    let (idp, receiver) = (started().await, Receiver::start(&[400]).await);
    let program = program(&idp, "ssf.manage").await;
    program.stream(pushed_to(&receiver)).await;
    let notices = idp
        .send_event("alice", &SecurityEvent::SessionRevoked)
        .await;
    assert_eq!(
        (
            notices[0].status,
            notices[0].waits,
            receiver.messages().len()
        ),
        (Some(400), false, 1)
    );
    assert!(
        idp.send_event("nobody", &SecurityEvent::SessionRevoked)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn events_are_fetched_and_acknowledged() {
    let idp = started().await;
    let program = program(&idp, "ssf.manage").await;
    let stream = program
        .stream(json!({ "delivery": { "method": "urn:ietf:rfc:8936" } }))
        .await;
    let changed =
        SecurityEvent::TokenClaimsChange(serde_json::from_value(json!({ "roles": [] })).unwrap());
    let credential = SecurityEvent::CredentialChange {
        credential_type: "password".to_owned(),
        change_type: "update".to_owned(),
    };
    for event in [SecurityEvent::SessionRevoked, credential, changed] {
        let notices = idp.send_event("alice", &event).await;
        assert_eq!((notices[0].status, notices[0].waits), (None, true));
    }
    let path = format!("/ssf/poll/{stream}");
    let (_, first) = program
        .send(
            "POST",
            &path,
            json!({ "maxEvents": 2, "returnImmediately": true }),
        )
        .await;
    assert_eq!(first["moreAvailable"], true);
    let sets: Vec<(String, Value)> = first["sets"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(jti, set)| (jti.clone(), read(&idp, set.as_str().unwrap())))
        .collect();
    assert_eq!(sets.len(), 2);
    assert!(sets.iter().all(|(jti, told)| told["jti"] == *jti));
    assert!(
        sets.iter()
            .any(|(_, told)| told["events"][CREDENTIAL]["credential_type"] == "password")
    );
    let body = json!({ "ack": [sets[0].0], "setErrs": { (sets[1].0.as_str()): { "err": "invalid_key" } } });
    let (_, second) = program.send("POST", &path, body).await;
    assert_eq!(second["moreAvailable"], false);
    let (jti, set) = second["sets"]
        .as_object()
        .unwrap()
        .iter()
        .next()
        .unwrap();
    assert_eq!(
        read(&idp, set.as_str().unwrap())["events"][CLAIMS]["claims"],
        json!({ "roles": [] })
    );
    let (_, last) = program
        .send("POST", &path, json!({ "maxEvents": 0, "ack": [jti] }))
        .await;
    assert_eq!(last, json!({ "sets": {}, "moreAvailable": false }));
    assert_eq!(
        program
            .send("POST", "/ssf/poll/made-up", json!({}))
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn a_stream_is_paused_and_goes_on_and_is_disabled() {
    let (idp, receiver) = (started().await, Receiver::start(&[]).await);
    let program = program(&idp, "ssf.manage").await;
    let stream = program.stream(pushed_to(&receiver)).await;
    let answer = program.set_status(&stream, "paused").await;
    assert_eq!(
        answer,
        json!({ "stream_id": stream, "status": "paused", "reason": "a test" })
    );
    let notices = idp
        .send_event("alice", &SecurityEvent::SessionRevoked)
        .await;
    assert_eq!(
        (
            notices[0].status,
            notices[0].waits,
            receiver.messages().len()
        ),
        (None, true, 0)
    );
    program.set_status(&stream, "enabled").await;
    assert_eq!(receiver.heard(1).await.len(), 1);
    program.set_status(&stream, "disabled").await;
    assert!(
        idp.send_event("alice", &SecurityEvent::SessionRevoked)
            .await
            .is_empty()
    );
    let path = format!("/ssf/status?stream_id={stream}");
    assert_eq!(
        program.send("GET", &path, Value::Null).await.1["status"],
        "disabled"
    );
    assert!(program.set_status(&stream, "asleep").await["description"].is_string());
}

#[tokio::test]
async fn a_stream_is_verified_and_leaves_out_whom_it_should() {
    let (idp, receiver) = (started().await, Receiver::start(&[]).await);
    let program = program(&idp, "ssf.manage").await;
    let stream = program.stream(pushed_to(&receiver)).await;
    let body = json!({ "stream_id": stream, "state": "expected" });
    assert_eq!(program.send("POST", "/ssf/verify", body).await.0, 204);
    let told = read(&idp, &receiver.heard(1).await[0][2]);
    assert_eq!(told["sub_id"], json!({ "format": "opaque", "id": stream }));
    assert_eq!(
        told["events"],
        json!({ VERIFICATION: { "state": "expected" } })
    );
    let sub = claims(&idp.token("alice").sign())["sub"].clone();
    let subject = json!({ "format": "iss_sub", "iss": idp.issuer().as_str(), "sub": sub });
    let body = json!({ "stream_id": stream, "subject": subject });
    assert_eq!(
        program
            .send("POST", "/ssf/subjects/remove", body.clone())
            .await
            .0,
        204
    );
    assert!(
        idp.send_event("alice", &SecurityEvent::SessionRevoked)
            .await
            .is_empty()
    );
    assert_eq!(
        idp.send_event("bob", &SecurityEvent::SessionRevoked)
            .await
            .len(),
        1
    );
    assert_eq!(program.send("POST", "/ssf/subjects/add", body).await.0, 200);
    assert_eq!(
        idp.send_event("alice", &SecurityEvent::SessionRevoked)
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn streams_are_read_changed_and_removed_by_their_client() {
    let (idp, receiver) = (started().await, Receiver::start(&[]).await);
    let program = program(&idp, "ssf.manage").await;
    let stream = program.stream(pushed_to(&receiver)).await;
    let path = format!("/ssf/streams?stream_id={stream}");
    let (_, told) = program.send("GET", &path, Value::Null).await;
    assert_eq!(
        (&told["aud"], &told["iss"]),
        (&json!("service"), &json!(idp.issuer().as_str()))
    );
    assert_eq!(told["events_delivered"], json!([REVOKED]));
    assert_eq!(
        told["delivery"],
        json!({ "method": "urn:ietf:rfc:8935", "endpoint_url": receiver.url }),
        "no secret"
    );
    let change = json!({ "stream_id": stream, "description": "mine" });
    let (_, told) = program.send("PATCH", "/ssf/streams", change).await;
    assert_eq!(
        (&told["description"], &told["delivery"]["endpoint_url"]),
        (&json!("mine"), &json!(receiver.url))
    );
    let (_, told) = program
        .send("PUT", "/ssf/streams", json!({ "stream_id": stream }))
        .await;
    assert_eq!(
        (&told["description"], &told["delivery"]["method"]),
        (&Value::Null, &json!("urn:ietf:rfc:8936"))
    );
    assert_eq!(
        program
            .send("GET", "/ssf/streams", Value::Null)
            .await
            .1
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        program
            .send("PATCH", "/ssf/streams", json!({}))
            .await
            .0,
        400
    );
    assert_eq!(program.send("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(program.send("DELETE", &path, Value::Null).await.0, 404);
    for delivery in [
        json!({ "method": "urn:ietf:rfc:8935" }),
        json!({ "method": "urn:ietf:rfc:8935", "endpoint_url": "http://receiver.example/" }),
        json!({ "method": "urn:ietf:rfc:8935", "endpoint_url": "https://u:p@receiver.example/" }),
        json!({ "method": "carrier-pigeon" }),
    ] {
        let (status, _) = program
            .send("POST", "/ssf/streams", json!({ "delivery": delivery }))
            .await;
        assert_eq!(status, 400, "{delivery}");
    }
}

#[tokio::test]
async fn only_a_client_with_the_scope_has_streams() {
    let idp = started().await;
    let manages = program(&idp, "ssf.manage").await;
    let stream = manages.stream(json!({})).await;
    let reads = program(&idp, "ssf.read").await;
    assert_eq!(
        reads
            .send(
                "GET",
                &format!("/ssf/streams?stream_id={stream}"),
                Value::Null
            )
            .await
            .0,
        200
    );
    assert_eq!(reads.send("POST", "/ssf/streams", json!({})).await.0, 403);
    let neither = program(&idp, "orders:read").await;
    assert_eq!(
        neither
            .send("GET", "/ssf/streams", Value::Null)
            .await
            .0,
        403
    );
    for token in [
        "made-up".to_owned(),
        idp.token("alice").scope("ssf.manage").issue(),
    ] {
        let wrong = Program { idp: &idp, token };
        assert_eq!(wrong.send("GET", "/ssf/streams", Value::Null).await.0, 401);
    }
    let (_, codes) = json(post(&idp, "/token", &code_form(&code(&idp).await), None).await).await;
    let user = Program {
        idp: &idp,
        token: codes["access_token"].as_str().unwrap().to_owned(),
    };
    assert_eq!(user.send("GET", "/ssf/streams", Value::Null).await.0, 401);
}

#[tokio::test]
async fn a_logout_is_an_event_and_so_is_what_a_script_wants() {
    let (idp, receiver) = (started().await, Receiver::start(&[]).await);
    let program = program(&idp, "ssf.manage").await;
    program.stream(pushed_to(&receiver)).await;
    let (_, tokens) = json(post(&idp, "/token", &code_form(&code(&idp).await), None).await).await;
    let sid = claims(tokens["id_token"].as_str().unwrap())["sid"].clone();
    idp.logout("alice").await;
    let told = read(&idp, &receiver.heard(1).await[0][2]);
    assert_eq!(told["sub_id"]["format"], "complex");
    assert_eq!(
        told["sub_id"]["session"],
        json!({ "format": "opaque", "id": sid })
    );
    let (status, notices) =
        json(post(&idp, "/dev/event", "user=bob&event=session-revoked", None).await).await;
    assert_eq!(
        (status, &notices[0]["status"], &notices[0]["waits"]),
        (200, &json!(202), &json!(false))
    );
    for wrong in [
        "user=bob",
        "event=session-revoked",
        "user=bob&event=tea",
        "user=bob&event=token-claims-change&claims=[",
    ] {
        assert_eq!(
            post(&idp, "/dev/event", wrong, None).await.status(),
            400,
            "{wrong}"
        );
    }
}
