//! RFC 9701: signed introspection answers, as far as it binds whoever asks.

use super::{RfcSetup, asking_at};
use crate::rfc::NOW;
use portcullis_testkit::{Answer, AnsweringServer};
use serde_json::{Value, json};

const SIGNED: &str = "application/token-introspection+jwt";
const AUDIENCE: &str = "api://enterprise-api";

/// What becomes of a token about which this is answered, signed by the issuer.
async fn judged(world: &RfcSetup, typ: &str, claims: Value) -> String {
    let mut answer = world.idp.token("alice").typ(Some(typ));
    for name in world.names_of_claims() {
        answer = answer.without(&name);
    }
    for (name, value) in claims.as_object().unwrap() {
        answer = answer.claim(name, value.clone());
    }
    respond_with(world, &answer.sign()).await
}

async fn respond_with(world: &RfcSetup, body: &str) -> String {
    let endpoint = AnsweringServer::start("").await;
    let headers = vec![("content-type", SIGNED.to_owned())];
    endpoint.answer(Answer {
        headers,
        ..Answer::json(body)
    });
    asking_at(world.idp.issuer().as_str(), &endpoint.url, "signed = true")
        .decide("opaque")
        .await
}

fn good(world: &RfcSetup) -> Value {
    json!({
        "iss": world.idp.issuer().as_str(),
        "aud": "service",
        "iat": NOW,
        "token_introspection": { "active": true, "aud": AUDIENCE },
    })
}

/// 4: who wants a signed answer says so in `Accept`
#[tokio::test]
async fn section_4_the_answer_is_asked_for() {
    let endpoint = AnsweringServer::start("").await;
    asking(&endpoint, "signed = true").await;
    assert_eq!(
        endpoint.requests()[0].headers.get("accept").unwrap(),
        SIGNED
    );
    let endpoint = AnsweringServer::start("").await;
    asking(&endpoint, "").await;
    assert_eq!(
        endpoint.requests()[0].headers.get("accept").unwrap(),
        "application/json"
    );
}

async fn asking(endpoint: &AnsweringServer, more: &str) {
    super::asking(&endpoint.url, more)
        .decide("opaque")
        .await;
}

/// 5: the answer is a JWT of type `token-introspection+jwt`, whose `token_introspection` holds what
/// RFC 7662 asks for
#[tokio::test]
async fn section_5_the_answer_is_a_typed_jwt() {
    let world = RfcSetup::new().await;
    for typ in [
        "token-introspection+jwt",
        "application/token-introspection+jwt",
        "Token-Introspection+JWT",
    ] {
        assert_eq!(judged(&world, typ, good(&world)).await, "allow", "{typ}");
    }
    for typ in ["JWT", "at+jwt", "logout+jwt"] {
        assert_eq!(
            judged(&world, typ, good(&world)).await,
            "outage.introspection",
            "{typ}"
        );
    }
    let mut inactive = good(&world);
    inactive["token_introspection"] = json!({ "active": false });
    assert_eq!(
        judged(&world, "token-introspection+jwt", inactive).await,
        "token.inactive"
    );
}

/// 5: `iss` is the issuer that was asked, `aud` whoever asks; both and `iat` must be there
#[tokio::test]
async fn section_5_the_answer_is_from_the_issuer_for_whoever_asks() {
    let world = RfcSetup::new().await;
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("iss", Value::Null),
        ("aud", json!("another")),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("iat", Value::Null),
        ("iat", json!("now")),
        ("token_introspection", Value::Null),
        ("token_introspection", json!("active")),
    ] {
        let mut answer = good(&world);
        answer[name] = value.clone();
        if value.is_null() {
            answer.as_object_mut().unwrap().remove(name);
        }
        let found = judged(&world, "token-introspection+jwt", answer).await;
        assert_eq!(found, "outage.introspection", "{name} {value}");
    }
}

/// 5: the answer is signed with a key that the issuer publishes; `none` does not count
#[tokio::test]
async fn section_5_the_answer_is_signed_by_the_issuer() {
    let (world, other) = (RfcSetup::new().await, RfcSetup::new().await);
    let mut foreign = good(&other);
    foreign["iss"] = json!(world.idp.issuer().as_str());
    let answer = |world: &RfcSetup, claims: &Value| {
        let token = world
            .idp
            .token("alice")
            .typ(Some("token-introspection+jwt"));
        let bare = world
            .names_of_claims()
            .into_iter()
            .fold(token, |token, name| token.without(&name));
        claims
            .as_object()
            .unwrap()
            .iter()
            .fold(bare, |token, (name, value)| {
                token.claim(name, value.clone())
            })
    };
    for body in [
        answer(&other, &foreign).sign(),
        answer(&world, &good(&world))
            .signature_flipped()
            .sign(),
        answer(&world, &good(&world)).alg_none().sign(),
        answer(&world, &good(&world))
            .hmac_with_public_key()
            .sign(),
        good(&world)["token_introspection"].to_string(),
    ] {
        assert_eq!(
            respond_with(&world, &body).await,
            "outage.introspection",
            "{body}"
        );
    }
}

/// 8.1: an answer is no access token, and an access token is no answer
#[tokio::test]
async fn section_8_1_no_confusion_of_jwts() {
    let world = RfcSetup::new().await;
    let answer = world
        .token()
        .typ(Some("token-introspection+jwt"))
        .sign();
    assert_eq!(world.decide(&answer).await, "token.type");
    assert_eq!(
        respond_with(&world, &world.token().sign()).await,
        "outage.introspection"
    );
}
