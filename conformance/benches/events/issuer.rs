//! An issuer of tokens that is a transmitter of events too: it signs fast, and serves its key.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// `aud` of events, and of access tokens.
pub(crate) const EVENTS: &str = "https://api.example/events";
pub(crate) const API: &str = "api://enterprise-api";

/// The event that each of them is: CAEP 1.0.
pub(crate) const REVOKED: &str =
    "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

pub(crate) struct Issuer {
    pub(crate) url: String,
    key: Ed25519KeyPair,
    /// For `jti`.
    number: AtomicU64,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let key = Ed25519KeyPair::generate().unwrap();
        let x = URL_SAFE_NO_PAD.encode(key.public_key().as_ref());
        let keys = json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "kid": "e-1", "use": "sig", "alg": "EdDSA", "x": x,
        }] });
        let base = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
        let told = std::sync::Arc::clone(&base);
        let address = crate::api::start(move |path| {
            let base = told.get().unwrap();
            let metadata = json!({ "issuer": base, "jwks_uri": format!("{base}/keys") });
            if path == "/keys" {
                keys.to_string()
            } else {
                metadata.to_string()
            }
        })
        .await;
        let url = format!("http://{address}");
        base.set(url.clone()).unwrap();
        Self {
            url,
            key,
            number: AtomicU64::new(0),
        }
    }

    /// RFC 9068.
    pub(crate) fn token(&self, subject: &str, session: &str) -> String {
        let claims = json!({
            "aud": API, "sub": subject, "sid": session, "client_id": "web",
            "exp": now() + 7_200,
        });
        self.sign("at+jwt", claims)
    }

    /// RFC 8417: the sessions of a person are over.
    pub(crate) fn event(&self, subject: &str) -> String {
        let subject = json!({ "format": "iss_sub", "iss": self.url, "sub": subject });
        let events = json!({ REVOKED: { "event_timestamp": now() } });
        let claims = json!({ "aud": EVENTS, "sub_id": subject, "events": events });
        self.sign("secevent+jwt", claims)
    }

    fn sign(&self, kind: &str, mut claims: Value) -> String {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        claims["iss"] = json!(self.url);
        claims["iat"] = json!(now());
        claims["jti"] = json!(format!("jti-{number:012}"));
        let header = json!({ "alg": "EdDSA", "kid": "e-1", "typ": kind });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}
