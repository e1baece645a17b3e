//! The key set as JSON.

use super::KeySetView;
use portcullis_audit::PublishedKey;
use portcullis_core::jose::Algorithm;
use serde_json::{Value, json};

/// The document of `portcullis keys --json`. Members are added to it, and never removed.
pub(crate) fn document(view: &KeySetView) -> Value {
    let (url, keys) = match &view.set {
        Ok(set) => (
            Some(set.inspection.url.as_str()),
            set.keys.iter().map(key).collect(),
        ),
        Err(_) => (None, Vec::new()),
    };
    json!({
        "issuer": view.issuer.as_str(),
        "jwks_uri": url,
        "usable": view.is_usable(),
        "fault": view.fault(),
        "cache_control": view.header("cache-control"),
        "etag": view.header("etag"),
        "next_fetch_seconds": view.next_fetch().as_secs(),
        "keys": keys,
    })
}

fn key(key: &PublishedKey) -> Value {
    let (algorithms, reason) = match &key.verdict {
        Ok(usable) => {
            // A key without `alg` may verify several.
            let names: Vec<_> = usable.algorithms().map(Algorithm::name).collect();
            (Some(names), None)
        }
        Err(fault) => (None, Some(fault.to_string())),
    };
    json!({
        "kid": key.text("kid"),
        "kty": key.text("kty"),
        "crv": key.text("crv"),
        "alg": key.text("alg"),
        "use": key.text("use"),
        "bits": key.bits(),
        "thumbprint": key.thumbprint(),
        "usable": key.verdict.is_ok(),
        "algorithms": algorithms,
        "reason": reason,
        "certificate_expires": key.certificate.map(|certificate| certificate.expires),
    })
}
