//! Bound tokens in an application: proofs where the settings name the public origin, certificates
//! where the application knows them.

use crate::{Answer, call};
use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http::Request;
use portcullis::{AuthorizedCaller, ProtectLayer, ResourceServer};
use portcullis_core::proof::Thumbprint;
use portcullis_resource_server::{Config, Settings};
use portcullis_testkit::{NOW, ProofKey, ResourceServerSetup, server_on};
use serde_json::{Value, json};

struct Application {
    setup: ResourceServerSetup,
    app: Router,
    key: ProofKey,
}

impl Application {
    /// Routes by the layer and by the extractor, the latter behind a prefix that its router cuts.
    async fn new(settings: &str) -> Self {
        let setup = ResourceServerSetup::new().await;
        let text = format!(
            "public_origin = \"https://api.example\"\n[[issuer]]\nurl = \"{}\"\n\
             audience = \"api://enterprise-api\"\n{settings}",
            setup.idp.issuer()
        );
        let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
        let server: ResourceServer = server_on(&setup.clock, settings);
        let layer = ProtectLayer::new(server.clone());
        let nested = Router::new()
            .route("/orders", any(async |_: AuthorizedCaller| "ok"))
            .with_state(server);
        let app = Router::new()
            .route("/layer", any(async || "ok").layer(layer))
            .nest("/v1", nested);
        Self {
            setup,
            app,
            key: ProofKey::new(),
        }
    }

    fn token(&self, cnf: Value) -> String {
        self.setup.idp.token("alice").claim("cnf", cnf).sign()
    }

    async fn proven(&self, path: &str, htu: &str, nonce: Option<&str>) -> Answer {
        let token = self.token(json!({ "jkt": self.key.thumbprint() }));
        let mut claims = self.key.claims("GET", htu, &token, NOW);
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let request = Request::get(path)
            .header("authorization", format!("DPoP {token}"))
            .header("dpop", self.key.sign(&claims));
        call(&self.app, request.body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn a_proof_names_the_path_before_routers_cut_it() {
    let app = Application::new("").await;
    for (path, htu, status) in [
        ("/v1/orders?x=1", "https://api.example/v1/orders", 200),
        ("/v1/orders", "https://api.example/orders", 401),
        ("/layer", "https://api.example/layer", 200),
        ("/layer", "http://api.example/layer", 401),
    ] {
        let answer = app.proven(path, htu, None).await;
        assert_eq!(answer.status, status, "{path} {htu} {}", answer.body);
    }
}

#[tokio::test]
async fn the_layer_tells_the_next_nonce() {
    let app = Application::new("[dpop]\nnonces = true\n").await;
    let htu = "https://api.example/layer";
    let refused = app.proven("/layer", htu, None).await;
    assert_eq!(refused.body["code"], "proof.nonce");
    let nonce = refused.headers["dpop-nonce"].to_str().unwrap();
    let allowed = app.proven("/layer", htu, Some(nonce)).await;
    assert_eq!(allowed.status, 200);
    assert!(allowed.headers.contains_key("dpop-nonce"));
}

#[tokio::test]
async fn an_application_can_say_which_certificate_was_shown() {
    let app = Application::new("").await;
    let shown = Thumbprint::of_certificate(b"a certificate");
    let other = Thumbprint::of_certificate(b"another one");
    let token = app.token(json!({ "x5t#S256": shown.to_string() }));
    for (certificate, expected) in [
        (Some(shown), Value::from("ok")),
        (Some(other), "proof.binding".into()),
        (None, "proof.missing".into()),
    ] {
        let request = Request::get("/layer").header("authorization", format!("Bearer {token}"));
        let mut request = request.body(Body::empty()).unwrap();
        if let Some(certificate) = certificate {
            request.extensions_mut().insert(certificate);
        }
        let answer = call(&app.app, request).await;
        let told = if answer.status == 200 {
            &answer.body
        } else {
            &answer.body["code"]
        };
        assert_eq!(*told, expected);
    }
}
