//! What the targets share: a server with the corpus' keys and clock, and how they read their bytes.

use jsonwebtoken::jwk::JwkSet;
use percent_encoding::percent_decode_str;
use portcullis_core::Limits;
use portcullis_core::jose::Jwks;
use portcullis_core::token::NumericDate;
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{ResourceServer, Settings};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use tokio::runtime::{Builder, Runtime};

static CORPUS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../conformance/corpus/access-tokens.json"))
        .expect("the corpus")
});

/// A runtime for calls that do not wait: all keys are fixed.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime")
    });
    &RUNTIME
}

/// A server that trusts the corpus' first issuer, at the corpus' moment.
pub fn server() -> &'static ResourceServer {
    static SERVER: LazyLock<ResourceServer> = LazyLock::new(|| {
        let settings = Settings::new("https://idp.example/tenant-a", "https://api.example/orders")
            .expect("settings");
        let keys = json!({ "keys": CORPUS["jwks"]["https://idp.example/tenant-a"] }).to_string();
        let keys = Jwks::parse(keys.as_bytes(), &Limits::default()).expect("keys");
        let clock = TestClock::at(NumericDate::from_seconds(1_800_000_000));
        ResourceServer::with_clock(settings.with_fixed_keys(&keys), Arc::new(clock))
    });
    &SERVER
}

/// The same keys for another library, which does not know P-521.
pub fn key_set() -> &'static JwkSet {
    static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
        let mut keys = CORPUS["jwks"]["https://idp.example/tenant-a"].clone();
        keys.as_array_mut()
            .expect("an array")
            .retain(|key| key["crv"] != "P-521" && key["use"] != "enc");
        serde_json::from_value(json!({ "keys": keys })).expect("a key set")
    });
    &KEYS
}

/// What the segments of a path stand for, as bytes. A final slash makes no difference.
pub fn segments(path: &str) -> Vec<Vec<u8>> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let segments = inner
        .split('/')
        .map(|segment| percent_decode_str(segment).collect());
    if inner.is_empty() {
        Vec::new()
    } else {
        segments.collect()
    }
}

/// The value of the first byte, and the rest.
pub fn choice(data: &[u8]) -> (u8, &[u8]) {
    data.split_first()
        .map_or((0, data), |(first, rest)| (*first, rest))
}
