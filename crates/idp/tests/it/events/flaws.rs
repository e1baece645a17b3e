//! Events and logout tokens that are wrong on purpose.

use super::{fetched, on_command, polled};
use crate::key::claims;
use crate::receiver::Receiver;
use crate::ssf::{REVOKED, program, started};
use crate::{json, members, post};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use portcullis_idp::{Flaw, FlowToken, Idp, IdpConfig, SecurityEvent};
use serde_json::{Value, json};

fn is_signed(idp: &Idp, token: &str) -> bool {
    let keys: JwkSet = serde_json::from_str(&idp.jwks()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let key = DecodingKey::from_jwk(&keys.keys[0]).unwrap();
    decode::<Value>(token, &key, &validation).is_ok()
}

/// A provider whose clock stands still: two tokens that it signs have the same times.
async fn at_one_moment() -> Idp {
    let config = IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    };
    Idp::start_at(config, || 1_800_000_000).await.unwrap()
}

/// The names of what differs between a sound token and a flawed one.
fn difference(sound: &str, flawed: &str) -> Vec<String> {
    let (sound, flawed) = (claims(sound), claims(flawed));
    let random = ["jti", "txn"];
    let mut names: Vec<&str> = members(&sound);
    names.extend(members(&flawed));
    names.sort_unstable();
    names.dedup();
    names.retain(|name| match (sound.get(name), flawed.get(name)) {
        (Some(before), Some(after)) => before != after && !random.contains(name),
        _ => true,
    });
    names.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn each_flaw_of_an_event_is_the_only_one() {
    let idp = at_one_moment().await;
    let signed = |flaw: Option<Flaw>| {
        let builder = idp
            .event("alice", SecurityEvent::SessionRevoked)
            .member("event_timestamp", 1_700_000_000);
        match flaw {
            Some(flaw) => builder.flaw(flaw).sign("service"),
            None => builder.sign("service"),
        }
    };
    let sound = signed(None);
    assert!(is_signed(&idp, &sound));
    let cases: [(Flaw, &[&str]); 12] = [
        (Flaw::WrongAudience, &["aud"]),
        (Flaw::WrongIssuer, &["iss"]),
        (Flaw::NoIdentifier, &["jti"]),
        (Flaw::NoEvents, &["events"]),
        (Flaw::TwoEvents, &["events"]),
        (Flaw::NoSubject, &["sub_id"]),
        (Flaw::Oversized, &["padding"]),
        (Flaw::Expiry, &["exp"]),
        (Flaw::TopLevelSubject, &["sub"]),
        (Flaw::FutureEvent, &["events"]),
        (Flaw::Claim("iat".to_owned(), json!("now")), &["iat"]),
        (Flaw::NoClaim("txn".to_owned()), &["txn"]),
    ];
    for (flaw, expected) in cases {
        let flawed = signed(Some(flaw.clone()));
        assert_eq!(difference(&sound, &flawed), expected, "{flaw:?}");
        assert!(is_signed(&idp, &flawed), "{flaw:?}");
    }
    let two = claims(&signed(Some(Flaw::TwoEvents)));
    assert_eq!(members(&two["events"]).len(), 2);
    let future = claims(&signed(Some(Flaw::FutureEvent)));
    let time = future["events"][REVOKED]["event_timestamp"]
        .as_u64()
        .unwrap();
    assert_eq!(time, future["iat"].as_u64().unwrap() + 3_600);
    assert!(signed(Some(Flaw::Oversized)).len() > 1_000_000);
    let replayed = claims(&signed(Some(Flaw::Replayed)));
    let again = claims(&signed(Some(Flaw::Replayed)));
    assert_eq!(replayed["jti"], again["jti"]);
    assert_ne!(claims(&sound)["jti"], claims(&signed(None))["jti"]);
    for flaw in [
        Flaw::WrongKey,
        Flaw::Unsigned,
        Flaw::HmacWithPublicKey,
        Flaw::SignatureFlipped,
    ] {
        let flawed = signed(Some(flaw.clone()));
        assert!(difference(&sound, &flawed).is_empty(), "{flaw:?}");
        assert!(!is_signed(&idp, &flawed), "{flaw:?}");
    }
    let header = |flaw| decode_header(signed(Some(flaw))).unwrap();
    assert_eq!(header(Flaw::WrongType).typ.as_deref(), Some("at+jwt"));
    assert_eq!(header(Flaw::UnknownKey).kid.as_deref(), Some("unknown"));
}

#[tokio::test]
async fn each_flaw_of_a_logout_token_is_the_only_one() {
    let idp = at_one_moment().await;
    let signed = |flaw: Option<Flaw>| {
        let builder = idp.logout_token("alice", "web").session("s-1");
        match flaw {
            Some(flaw) => builder.flaw(flaw).sign(),
            None => builder.sign(),
        }
    };
    let sound = signed(None);
    assert!(is_signed(&idp, &sound));
    assert_eq!(
        (claims(&sound)["sid"].clone(), claims(&sound)["aud"].clone()),
        (json!("s-1"), json!("web"))
    );
    let cases: [(Flaw, &[&str]); 8] = [
        (Flaw::Nonce, &["nonce"]),
        (Flaw::NoEvents, &["events"]),
        (Flaw::WrongAudience, &["aud"]),
        (Flaw::WrongIssuer, &["iss"]),
        (Flaw::NoIdentifier, &["jti"]),
        (Flaw::NoSubject, &["sid", "sub"]),
        (Flaw::TwoEvents, &["events"]),
        (Flaw::Expired, &["exp", "iat"]),
    ];
    for (flaw, expected) in cases {
        let flawed = signed(Some(flaw.clone()));
        assert_eq!(difference(&sound, &flawed), expected, "{flaw:?}");
        assert!(is_signed(&idp, &flawed), "{flaw:?}");
    }
    assert!(claims(&signed(Some(Flaw::Expired)))["exp"].as_u64() < claims(&sound)["iat"].as_u64());
    assert!(!is_signed(&idp, &signed(Some(Flaw::WrongKey))));
    let of_all_sessions = idp.logout_token("carol", "web").sign();
    assert_eq!(claims(&of_all_sessions).get("sid"), None);
}

#[tokio::test]
async fn flaws_are_ordered_for_one_event_or_for_all() {
    let idp = started().await;
    let program = program(&idp, "ssf.manage").await;
    let stream = polled(&program).await;
    let path = format!("/ssf/poll/{stream}");
    let aud = async || {
        let form = [("user", "alice"), ("event", "session-revoked")];
        on_command(&idp, &form).await;
        let (_, answer) = program.send("POST", &path, json!({})).await;
        let (jti, set) = answer["sets"]
            .as_object()
            .unwrap()
            .iter()
            .next()
            .unwrap();
        let body = json!({ "maxEvents": 0, "ack": [jti] });
        program.send("POST", &path, body).await;
        claims(set.as_str().unwrap())["aud"].clone()
    };
    idp.spoil_next(FlowToken::Event, [Flaw::WrongAudience]);
    assert_eq!(aud().await, "somebody-else");
    assert_eq!(aud().await, "service");
    let (status, faults) =
        json(post(&idp, "/dev/faults", "event_flaw=wrong-audience", None).await).await;
    assert_eq!(
        (status, &faults["event_flaw"]),
        (200, &json!("wrong-audience"))
    );
    assert_eq!(aud().await, "somebody-else");
    idp.clear_faults();
    assert_eq!(aud().await, "service");
    let form = [
        ("user", "alice"),
        ("event", "session-revoked"),
        ("flaw", "replayed"),
    ];
    let (_, notices) = on_command(&idp, &form).await;
    assert_eq!(notices[0]["jti"], idp.event_notices()[1].jti);
    assert_eq!(fetched(&idp, &program, &stream).await.len(), 1);
    for wrong in [
        "event_flaw=expired",
        "logout_token_flaw=exp",
        "event_claims=1",
    ] {
        let response = post(&idp, "/dev/faults", wrong, None).await;
        assert_eq!(response.status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_flawed_event_is_pushed_as_it_is() {
    let (idp, receiver) = (started().await, Receiver::start(&[]).await);
    let program = program(&idp, "ssf.manage").await;
    program.stream(crate::ssf::pushed_to(&receiver)).await;
    let form = [
        ("user", "alice"),
        ("event", "session-revoked"),
        ("flaw", "no-jti"),
    ];
    let (_, notices) = on_command(&idp, &form).await;
    assert_eq!(notices[0]["status"], 202);
    assert_eq!(claims(&receiver.messages()[0][2]).get("jti"), None);
}
