//! One test for each requirement that binds a resource server, named by its section.
//! `docs/standards.md` is made from the first line above each test.

mod fapi2;
mod oidc;
mod rfc6750;
mod rfc7515;
mod rfc7517;
mod rfc7518;
mod rfc7519;
mod rfc7523;
mod rfc7662;
mod rfc8037;
mod rfc8414;
mod rfc8725;
mod rfc9068;
mod rfc9110;
mod rfc9440;
mod rfc9449;
mod rfc9457;
mod rfc9470;
mod rfc9700;
mod rfc9701;
mod rfc9728;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use axum::routing::any;
use portcullis::{AuthorizedCaller, requirement};
use portcullis_core::Limits;
use portcullis_core::jose::{Jwks, JwksError, base64url};
use portcullis_core::token::NumericDate;
use portcullis_idp::{Idp, IdpConfig, TokenBuilder};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ResourceServer, Secret, Settings};
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt as _;

pub(crate) const NOW: i64 = 1_800_000_000;

requirement!(Reader = scope("orders:read"));

/// A provider and a server that holds it to RFC 9068, both at the same fixed moment.
pub(crate) struct RfcSetup {
    pub(crate) idp: Idp,
    pub(crate) server: ResourceServer,
    pub(crate) clock: Arc<TestClock>,
}

impl RfcSetup {
    pub(crate) async fn new() -> Self {
        Self::with("RS256", "rfc9068").await
    }

    pub(crate) async fn with(algorithm: &str, profile: &str) -> Self {
        let config = IdpConfig {
            algorithm: algorithm.to_owned(),
            ..IdpConfig::default()
        };
        let idp = Idp::start_at(config, || NOW as u64).await.unwrap();
        let text = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\nprofile = \"{profile}\"\n",
            idp.issuer(),
            idp.audience()
        );
        let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
        let clock = Arc::new(TestClock::at(NumericDate::from_seconds(NOW)));
        let server = ResourceServer::with_clock(settings, Arc::clone(&clock) as Arc<_>);
        Self { idp, server, clock }
    }

    pub(crate) fn token(&self) -> TokenBuilder {
        self.idp.token("alice").scope("orders:read")
    }

    /// What becomes of a token: `allow`, or the code.
    pub(crate) async fn decide(&self, token: &str) -> String {
        portcullis_testkit::decide(&self.server, token).await
    }

    /// The names of the claims of a usual token.
    pub(crate) fn names_of_claims(&self) -> Vec<String> {
        let token = self.idp.token("alice").sign();
        let claims = base64url::decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        claims.as_object().unwrap().keys().cloned().collect()
    }

    /// The same token with another header or payload, under the old signature.
    pub(crate) fn rewritten(&self, part: usize, text: &str) -> String {
        let token = self.token().sign();
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        parts[part] = base64url::encode(text.as_bytes());
        parts.join(".")
    }

    /// A request to an endpoint that wants the scope `orders:read`, over HTTP's own types.
    pub(crate) async fn ask(&self, uri: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let app = Router::new()
            .route("/", any(async |_: AuthorizedCaller<Reader>| "allow"))
            .with_state(self.server.clone());
        let request = headers
            .iter()
            .fold(Request::post(uri), |request, (name, value)| {
                request.header(*name, *value)
            });
        let response = app
            .oneshot(request.body(Body::from(body.to_owned())).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 100_000).await.unwrap();
        let challenge = parts
            .headers
            .get("www-authenticate")
            .map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: parts.status.as_u16(),
            challenge: challenge.unwrap_or_default(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    pub(crate) async fn ask_with(&self, token: &str) -> Answer {
        self.ask("/", &[("authorization", &format!("Bearer {token}"))], "")
            .await
    }
}

/// A server that asks an endpoint about tokens, as the client `service`.
pub(crate) struct Asking {
    pub(crate) server: ResourceServer,
    pub(crate) clock: Arc<TestClock>,
}

pub(crate) fn asking(endpoint: &str, more: &str) -> Asking {
    asking_at("https://idp.example", endpoint, more)
}

pub(crate) fn asking_at(issuer: &str, endpoint: &str, more: &str) -> Asking {
    let text = format!(
        "[[issuer]]\nurl = \"{issuer}\"\naudience = [\"api://enterprise-api\"]\n[issuer.introspection]\n\
         client_id = \"service\"\nendpoint = \"{endpoint}\"\n{more}\n"
    );
    let mut config = Config::from_toml(&text).unwrap();
    config.issuer[0]
        .introspection
        .as_mut()
        .unwrap()
        .client
        .secret = Some(Secret::new("service-secret"));
    let clock = Arc::new(TestClock::at(NumericDate::from_seconds(NOW)));
    let settings = Settings::try_from(config).unwrap();
    Asking {
        server: ResourceServer::with_clock(settings, Arc::clone(&clock) as Arc<_>),
        clock,
    }
}

impl Asking {
    /// What becomes of a token: `allow`, or the code.
    pub(crate) async fn decide(&self, token: &str) -> String {
        portcullis_testkit::decide(&self.server, token).await
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) challenge: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// A key set of these keys.
pub(crate) fn key_set(keys: Value) -> Result<Jwks, JwksError> {
    Jwks::parse(
        serde_json::json!({ "keys": keys })
            .to_string()
            .as_bytes(),
        &Limits::default(),
    )
}

/// The public key that the corpus calls by this name.
pub(crate) fn key(kid: &str) -> Value {
    let document = portcullis_testkit::corpus::document("access-tokens.json");
    let keys = document["jwks"]["https://idp.example/tenant-a"]
        .as_array()
        .unwrap();
    keys.iter()
        .find(|key| key["kid"] == kid)
        .unwrap()
        .clone()
}

/// The same key with a member changed, or taken away where the value is null.
pub(crate) fn key_with(kid: &str, member: &str, value: Value) -> Value {
    let mut key = key(kid);
    if value.is_null() {
        key.as_object_mut().unwrap().remove(member);
    } else {
        key[member] = value;
    }
    key
}
