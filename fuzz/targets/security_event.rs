//! Any bytes as the claims of a security event that the transmitter signed: what is taken is one by
//! another parser too, what is refused ends nothing, and what names nobody ends nobody.

use crate::shared;
use serde_json::Value;

pub(crate) fn run(data: &[u8]) {
    let token = shared::signed("secevent+jwt", data);
    let media = "application/secevent+jwt";
    let (status, entries) = shared::receive("/events/stream-1", media, token.as_bytes());
    if status != 202 {
        assert_eq!((status, entries), (400, 0));
        return;
    }
    let claims: Value = serde_json::from_slice(data).expect("claims");
    assert_eq!(claims["iss"], "https://idp.example/tenant-a");
    assert!(shared::is_for(&claims, "https://api.example/ssf"));
    assert!(claims.get("exp").is_none() && claims.get("sub").is_none());
    assert!(claims["jti"].is_string());
    let events = claims["events"].as_object().expect("events");
    assert!(!events.is_empty() && events.values().all(Value::is_object));
    let subject = claims["sub_id"].as_object().expect("a subject");
    assert!(subject.get("format").is_some_and(Value::is_string));
    let mut times = events
        .values()
        .filter_map(|event| event["event_timestamp"].as_f64());
    assert!(times.all(|time| time < 1_800_000_061.0));
    let own = "https://idp.example/tenant-a";
    if subject["format"] == "iss_sub" {
        assert_eq!(subject["iss"], own);
    }
    // An address or an opaque word stands for nobody here.
    if subject["format"] == "email" || subject["format"] == "opaque" {
        assert_eq!(entries, 0);
    }
}
