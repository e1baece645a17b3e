//! What the targets share: a server with the corpus' keys and clock, and how they read their bytes.

use http::{HeaderMap, HeaderValue, Method};
use jsonwebtoken::crypto::sign;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey};
use percent_encoding::percent_decode_str;
use portcullis_core::Limits;
use portcullis_core::jose::{Jwks, base64url};
use portcullis_core::token::NumericDate;
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ReceiverRequest, ResourceServer, Settings};
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

/// A server with receivers. To make one for each run would be most of the run.
fn receiver() -> &'static ResourceServer {
    static SERVER: LazyLock<ResourceServer> = LazyLock::new(|| {
        let config = Config::from_toml(
            "[[issuer]]\nurl = \"https://idp.example/tenant-a\"\n\
             audience = \"https://api.example/orders\"\n[issuer.logout]\nclients = \"client-1\"\n\
             [[events]]\nname = \"stream-1\"\nissuer = \"https://idp.example/tenant-a\"\n\
             audience = \"https://api.example/ssf\"\n",
        );
        let settings = Settings::try_from(config.expect("settings")).expect("settings");
        let keys = json!({ "keys": CORPUS["jwks"]["https://idp.example/tenant-a"] }).to_string();
        let keys = Jwks::parse(keys.as_bytes(), &Limits::default()).expect("keys");
        let clock = TestClock::at(NumericDate::from_seconds(1_800_000_000));
        ResourceServer::with_clock(settings.with_fixed_keys(&keys), Arc::new(clock))
    });
    &SERVER
}

/// Sends this to a receiver: the status of its answer, and how many revocations it added.
pub fn receive(path: &str, media: &'static str, body: &[u8]) -> (u16, usize) {
    let server = receiver();
    let before = server.status().revocation.entries;
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(media));
    let request = ReceiverRequest {
        path,
        method: &Method::POST,
        headers: &headers,
        body,
    };
    let answer = runtime().block_on(server.answer_receiver(&request));
    let told = answer.response.body();
    assert!(told.len() < 200 && !told.contains("example"), "{told}");
    let status = answer.response.status().as_u16();
    (status, server.status().revocation.entries - before)
}

/// These bytes as a payload, signed with the key of the corpus whose private half is known.
pub fn signed(typ: &str, payload: &[u8]) -> String {
    static KEY: LazyLock<EncodingKey> = LazyLock::new(|| {
        // PKCS#8 of an Ed25519 key of 32 sevens.
        let prefix = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        EncodingKey::from_ed_der(&[prefix.as_slice(), &[7; 32]].concat())
    });
    let header = json!({ "alg": "EdDSA", "typ": typ, "kid": "ed-2" }).to_string();
    let text = format!(
        "{}.{}",
        base64url::encode(header.as_bytes()),
        base64url::encode(payload)
    );
    let signature = sign(text.as_bytes(), &KEY, Algorithm::EdDSA).expect("a signature");
    format!("{text}.{signature}")
}

/// Whether `aud` has this name.
pub fn is_for(claims: &Value, name: &str) -> bool {
    match &claims["aud"] {
        Value::Array(names) => names.iter().any(|one| one == name),
        one => one == name,
    }
}
