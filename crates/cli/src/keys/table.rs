//! The keys as JSON.

use super::Look;
use portcullis_audit::PublishedKey;
use portcullis_core::jose::Algorithm;
use serde_json::{Value, json};

pub(crate) fn document(look: &Look) -> Value {
    let set = look.set.as_ref().ok();
    let header = |name: &str| {
        let value = set
            .and_then(|set| set.answer())
            .and_then(|answer| answer.headers.get(name));
        value
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let keys: Vec<Value> = set
        .map(|set| set.keys.iter().map(key).collect())
        .unwrap_or_default();
    json!({
        "issuer": look.issuer.as_str(),
        "jwks_uri": set.map(|set| set.inspection.url.as_str()),
        "usable": look.is_usable(),
        "fault": look.fault(),
        "cache_control": header("cache-control"),
        "etag": header("etag"),
        "next_fetch_seconds": look.next_fetch().as_secs(),
        "keys": keys,
    })
}

fn key(key: &PublishedKey) -> Value {
    let usable = key.verdict.as_ref().ok();
    json!({
        "kid": key.text("kid"),
        "kty": key.text("kty"),
        "crv": key.text("crv"),
        "alg": key.text("alg"),
        "use": key.text("use"),
        "bits": key.bits(),
        "thumbprint": key.thumbprint(),
        "usable": usable.is_some(),
        "algorithms": usable.map(|key| key.algorithms().map(Algorithm::name).collect::<Vec<_>>()),
        "reason": key.verdict.as_ref().err().map(ToString::to_string),
        "certificate_expires": key.certificate.map(|certificate| certificate.expires),
    })
}
