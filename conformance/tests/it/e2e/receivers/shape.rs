//! The transmitter itself: what it signs is an event as the standards have it, and what it says of
//! itself is read by others.

use super::transmitter::{AUDIENCE, SECRET, Transmitter};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Value, json};

const PURGED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-purged";

async fn document(url: &str) -> Value {
    let response = reqwest::Client::new()
        .get(url)
        .bearer_auth(SECRET)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200, "{url}");
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn polled(transmitter: &Transmitter, request: Value) -> Value {
    let response = reqwest::Client::new()
        .post(format!("{}/poll", transmitter.issuer))
        .bearer_auth(SECRET)
        .body(request.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn wanted() -> Value {
    let subject = json!({ "format": "iss_sub", "iss": "https://idp.example", "sub": "alice" });
    json!({ "event": PURGED, "subject": subject })
}

fn with(mut event: Value, more: Value) -> Value {
    let more = more.as_object().unwrap().clone();
    event.as_object_mut().unwrap().extend(more);
    event
}

/// RFC 8417, section 2, and SSF 1.0, section 4.
async fn is_an_event(mut transmitter: Transmitter, algorithm: Algorithm, name: &str) {
    let keys = document(&format!("{}/keys", transmitter.issuer)).await;
    let keys: JwkSet = serde_json::from_value(keys).unwrap();
    let key = DecodingKey::from_jwk(keys.find("t-1").unwrap()).unwrap();
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["aud", "iss"]);
    validation.validate_exp = false;
    let signed = transmitter.ask("sign", wanted()).await;
    let set = signed["set"].as_str().unwrap();
    assert_eq!(
        part(set, 0),
        json!({ "typ": "secevent+jwt", "alg": name, "kid": "t-1" })
    );
    let mut claims = decode::<Value>(set, &key, &validation).unwrap().claims;
    assert!(claims["iat"].is_u64());
    claims.as_object_mut().unwrap().remove("iat");
    assert_eq!(
        claims,
        json!({
            "iss": transmitter.issuer,
            "aud": AUDIENCE,
            "jti": signed["jti"],
            "sub_id": wanted()["subject"],
            "events": { PURGED: {} },
        }),
        "no `sub` and no `exp`"
    );
    let flawed = json!({ "key": "other", "header": { "typ": null }, "claims": { "exp": 1 } });
    let flawed = transmitter.ask("sign", with(wanted(), flawed)).await;
    let flawed = flawed["set"].as_str().unwrap();
    assert!(decode::<Value>(flawed, &key, &validation).is_err());
    assert_eq!(part(flawed, 0), json!({ "alg": name, "kid": "t-1" }));
    assert_eq!(part(flawed, 1)["exp"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_transmitter_signs_is_an_event() {
    if let Some(transmitter) = Transmitter::start("ES256").await {
        is_an_event(transmitter, Algorithm::ES256, "ES256").await;
    }
    if let Some(transmitter) = Transmitter::start("EdDSA").await {
        is_an_event(transmitter, Algorithm::EdDSA, "EdDSA").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_transmitter_is_polled_and_hears_what_was_refused() {
    let Some(mut transmitter) = Transmitter::start("ES256").await else {
        return;
    };
    let url = format!("{}/.well-known/ssf-configuration", transmitter.issuer);
    assert_eq!(document(&url).await["issuer"], transmitter.issuer.as_str());
    let unknown = reqwest::Client::new().post(format!("{}/poll", transmitter.issuer));
    assert_eq!(unknown.body("{}").send().await.unwrap().status(), 401);
    let first = transmitter.ask("queue", wanted()).await["jti"].clone();
    let second = transmitter.ask("queue", wanted()).await["jti"].clone();
    let answer = polled(&transmitter, json!({ "maxEvents": 1 })).await;
    let (jti, set) = answer["sets"]
        .as_object()
        .unwrap()
        .iter()
        .next()
        .unwrap();
    assert_eq!(
        (&json!(jti), &answer["moreAvailable"]),
        (&first, &json!(true))
    );
    assert_eq!(part(set.as_str().unwrap(), 1)["jti"], first);
    let told = json!({ (second.as_str().unwrap()): { "err": "invalid_key" } });
    let body = json!({ "maxEvents": 0, "ack": [first], "setErrs": told });
    let answer = polled(&transmitter, body).await;
    assert_eq!(answer, json!({ "sets": {}, "moreAvailable": false }));
    let answer = transmitter
        .ask("wait", json!({ "jtis": [first, second] }))
        .await;
    assert_eq!(
        (
            &answer["acknowledged"],
            &answer["errors"],
            &answer["waiting"]
        ),
        (&json!(1), &told, &json!(0))
    );
}
