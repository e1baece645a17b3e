//! What a request finds that was overtaken by the fetch of another.

use super::{FoundKeys, KeyCache, KeyMeters, KeySettings, KeySource};
use crate::clock::TestClock;
use crate::egress::Egress;
use crate::fetch::Fetch;
use portcullis_core::Limits;
use portcullis_core::jose::{Algorithm, Jwks, Selection, VerifyingKey};
use portcullis_core::token::{Issuer, NumericDate};
use std::sync::Arc;

/// Two Ed25519 keys: 32 bytes that are on the curve.
const KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const OTHER: &str = "1T2fsk6VQfzs2FMYtd7cy91-YTAAmSLmExq8n-GwhEI";

fn jwks(x: &str) -> Jwks {
    let text = format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","alg":"EdDSA","x":"{x}"}}]}}"#
    );
    Jwks::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// Keys that cannot be fetched any more: every forced fetch is spent.
fn cache(source: KeySource) -> Arc<KeyCache> {
    let limits = Limits::default();
    let egress = Egress {
        fetch: Fetch::new(limits.document_bytes),
        limits,
        clock: Arc::new(TestClock::at(NumericDate::from_seconds(1_800_000_000))),
    };
    let issuer = Issuer::parse("https://idp.example").unwrap();
    let settings = KeySettings {
        forced_fetches: 0,
        ..KeySettings::default()
    };
    let meters = KeyMeters::new(issuer.as_str());
    KeyCache::new(issuer, source, settings, egress, meters)
}

/// The key was not there when the request looked; another's fetch brought it before this one asked
/// for a fetch of its own.
#[tokio::test]
async fn a_key_that_came_meanwhile_is_found() {
    let cache = cache(KeySource::Discovered);
    cache.install(jwks(KEY), None);
    let found = cache.awaited_key(Some("k"), Algorithm::EdDSA).await;
    let FoundKeys { keys, fetched } = found.unwrap();
    assert_eq!((keys.len(), fetched), (1, false));
    let missing = cache
        .awaited_key(Some("other"), Algorithm::EdDSA)
        .await;
    assert!(missing.is_err());
}

/// The same where a signature failed under a key that was replaced meanwhile.
#[tokio::test]
async fn a_key_that_was_replaced_meanwhile_is_found() {
    let cache = cache(KeySource::Discovered);
    cache.install(jwks(KEY), None);
    let others = async |tried| {
        let tried = keys(&jwks(tried));
        let found = cache.awaited_replacements(Some("k"), Algorithm::EdDSA, &tried);
        found.await.unwrap().map(|keys| keys.len())
    };
    assert_eq!(others(OTHER).await, Some(1));
    assert_eq!(others(KEY).await, None, "the same key");
}

fn keys(jwks: &Jwks) -> Vec<VerifyingKey> {
    match jwks.select(Some("k"), Algorithm::EdDSA) {
        Selection::Keys(keys) => keys,
        _ => panic!("no key"),
    }
}
