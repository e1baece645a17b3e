//! The application, an identity provider, and somebody who calls.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use orders_api::settings::Settings;
use orders_api::store::Store;
use orders_api::{Application, app};
use portcullis::openapi::OpenApi;
use portcullis::{Config, ResourceServer};
use portcullis_idp::{Idp, IdpConfig};
use serde_json::Value;
use tower::ServiceExt as _;

pub(crate) struct Setup {
    pub(crate) idp: Idp,
    pub(crate) application: Application,
    pub(crate) document: OpenApi,
    app: Router,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Setup {
    /// On a database in memory.
    pub(crate) async fn new() -> Self {
        Self::on("sqlite::memory:").await
    }

    pub(crate) async fn on(database: &str) -> Self {
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
        Self::of(idp, server, database).await
    }

    /// With a second provider that is trusted too.
    pub(crate) async fn with_two_issuers() -> (Self, Idp) {
        let [first, second] = [
            Idp::start(IdpConfig::default()).await.unwrap(),
            Idp::start(IdpConfig::default()).await.unwrap(),
        ];
        let mut text = String::new();
        for idp in [&first, &second] {
            let (url, audience) = (idp.issuer(), idp.audience());
            text += &format!("[[issuer]]\nurl = \"{url}\"\naudience = [\"{audience}\"]\n");
        }
        let settings = portcullis::Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
        let server = ResourceServer::with_settings(settings);
        (Self::of(first, server, "sqlite::memory:").await, second)
    }

    async fn of(idp: Idp, server: ResourceServer, database: &str) -> Self {
        let store = Store::open(database).await.unwrap();
        let application = Application { server, store };
        let settings = Settings {
            cors_origins: vec!["https://app.example".to_owned()],
            ..Settings::default()
        };
        let (app, document) = app(application.clone(), &settings).await;
        Self {
            idp,
            application,
            document,
            app,
        }
    }

    /// A token of this person, with both scopes of orders.
    pub(crate) fn token(&self, user: &str) -> String {
        self.idp
            .token(user)
            .scope("orders:read orders:write")
            .sign()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }

    /// A request with a token, and with a body where it is not null.
    pub(crate) async fn call(&self, line: &str, token: &str, body: Value) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"));
        let request = match body {
            Value::Null => request.body(Body::empty()),
            body => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
        };
        self.send(request.unwrap()).await
    }
}
