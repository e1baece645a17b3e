//! The explanation of a request: its verdict, what led to it, and that it leaves nothing behind.
//!
//! That the verdicts are those of the doors is tested in `conformance/tests/it/parity`.

use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_core::rejection::Party;
use portcullis_core::token::NumericDate;
use portcullis_gateway::{
    Config, RequestExplainer, RequestExplanation, Settings, TrialRequest, VerdictKind,
};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::{Clock, TestClock};
use portcullis_testkit::ProofKey;
use serde_json::json;
use std::sync::Arc;

const ROUTES: &str = r#"
[gateway]
upstream = "http://127.0.0.1:9/base"
hosts = ["gw.example"]
[gateway.limits]
body_bytes = 1000
failing_callers = 1
[gateway.identity.headers]
x-auth-subject = "subject"
[[route]]
path = "/public/**"
access = "public"
[[route]]
name = "orders"
path = "/orders/{id}"
methods = ["GET", "PUT"]
strip_prefix = "/orders"
require = { scope = "orders:read", any = [{ role = "Admin" }, { claim = { team = "sales" } }] }
"#;

struct Explained {
    idp: Idp,
    explainer: RequestExplainer,
}

impl Explained {
    async fn new(log: &str) -> Self {
        Self::with(&format!("{log}{ROUTES}")).await
    }

    async fn with(tables: &str) -> Self {
        let clock = Arc::new(TestClock::at(NumericDate::from_seconds(1_800_000_000)));
        let idp = Idp::start_at(IdpConfig::default(), || 1_800_000_000).await;
        let idp = idp.unwrap();
        let (url, audience) = (idp.issuer(), idp.audience());
        let issuer = format!("[[issuer]]\nurl = \"{url}\"\naudience = \"{audience}\"\n");
        let config = Config::from_toml(&format!("{issuer}{tables}")).unwrap();
        let settings = Settings::try_from(config).unwrap();
        let clock: Arc<dyn Clock> = clock;
        let explainer = RequestExplainer::new(settings, &clock).unwrap();
        Self { idp, explainer }
    }

    async fn explain(&self, request: &str, fields: &[(&str, &str)]) -> RequestExplanation {
        let (method, target) = request.split_once(' ').unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("gw.example"));
        for (name, value) in fields {
            let name = HeaderName::try_from(*name).unwrap();
            headers.insert(name, HeaderValue::try_from(*value).unwrap());
        }
        let request = TrialRequest::new(method, target, headers);
        self.explainer.explain(request).await
    }

    async fn with_token(&self, request: &str, scope: &str) -> RequestExplanation {
        let token = self.idp.token("bob").scope(scope).sign();
        let bearer = format!("Bearer {token}");
        self.explain(request, &[("authorization", &bearer)])
            .await
    }
}

#[tokio::test]
async fn each_stage_is_told_up_to_the_verdict() {
    let explained = Explained::new("").await;
    let ambiguous = explained.explain("GET /public/../orders", &[]).await;
    assert_eq!(
        (ambiguous.verdict.status, ambiguous.verdict.code),
        (Some(400), Some("request.path"))
    );
    assert!(ambiguous.route.is_none() && ambiguous.path.is_none());
    let elsewhere = [("host", "other.example")];
    for (request, fields, status, code) in [
        ("TRACE /public/a", &[][..], 501, "request.method"),
        ("GET /public/a", &elsewhere, 421, "request.misdirected"),
        ("GET /public/a#b", &[], 400, "request.target"),
        (
            "PUT /public/a",
            &[("content-length", "1001")],
            413,
            "request.body",
        ),
        ("GET /orders/7", &[], 401, "credential.missing"),
    ] {
        let verdict = explained.explain(request, fields).await.verdict;
        assert_eq!(
            (verdict.status, verdict.code, verdict.kind),
            (Some(status), Some(code), VerdictKind::Refused),
            "{request}"
        );
        assert!(
            verdict.cure.is_some() && verdict.parties.len() == 1,
            "{request}"
        );
    }
    let missing = explained.explain("GET /orders/7", &[]).await;
    assert_eq!(
        missing.verdict.headers["www-authenticate"],
        "Bearer realm=\"api\""
    );
    assert!(missing.needs_token && missing.token.is_none() && missing.demands.len() == 4);
    let public = explained.explain("GET /public/%61?b=c", &[]).await;
    assert_eq!(public.verdict.kind, VerdictKind::Forwarded);
    assert!(!public.needs_token && public.path.as_deref() == Some("/public/a"));
    let forward = public.verdict.forward.unwrap();
    assert_eq!(forward.target.as_deref(), Some("/base/public/a?b=c"));
    assert!(forward.identity_headers.is_empty());
}

#[tokio::test]
async fn a_missing_permission_is_told_item_by_item() {
    let explained = Explained::new("").await;
    let refused = explained
        .with_token("GET /orders/7", "orders:list")
        .await;
    let route = refused.route.unwrap();
    assert_eq!((route.index, route.path.as_str()), (Some(1), "/orders/*"));
    assert_eq!(route.methods, ["GET", "PUT"]);
    assert!(refused.token.unwrap().is_accepted());
    let subject = refused.caller.unwrap().subject().map(str::to_owned);
    assert!(subject.is_some());
    let demands: Vec<_> = refused
        .demands
        .iter()
        .map(|it| (&*it.demand, it.met))
        .collect();
    assert_eq!(
        demands,
        [
            ("scope `orders:read`", Some(false)),
            ("one of", Some(false)),
            ("role `Admin`", Some(false)),
            ("claim `team` = `sales`", Some(false)),
        ]
    );
    assert_eq!(refused.demands[0].found, "scopes `orders:list`");
    let verdict = refused.verdict;
    assert_eq!(verdict.code, Some("policy.role"));
    assert_eq!(
        verdict.parties,
        [Party::ClientDeveloper, Party::ProviderAdmin]
    );
    // An administrator lacks the scope alone, and the challenge asks for it.
    let token = explained
        .idp
        .token("alice")
        .scope("orders:list")
        .sign();
    let bearer = format!("Bearer {token}");
    let fields = [("authorization", &*bearer)];
    let verdict = explained
        .explain("GET /orders/7", &fields)
        .await
        .verdict;
    assert_eq!(verdict.code, Some("policy.scope"));
    assert_eq!(verdict.parties, [Party::ClientDeveloper]);
    let challenge = verdict.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.ends_with("scope=\"orders:read\""), "{challenge}");
    let token = explained
        .idp
        .token("alice")
        .scope("orders:read")
        .sign();
    let bearer = format!("Bearer {token}");
    let fields = [("authorization", &*bearer)];
    let verdict = explained
        .explain("GET /orders/7", &fields)
        .await
        .verdict;
    let forward = verdict.forward.unwrap();
    assert_eq!(forward.target.as_deref(), Some("/base/7"));
    assert_eq!(forward.identity_headers, ["x-auth-subject"]);
}

#[tokio::test]
async fn the_default_names_the_routes_that_were_nearly_meant() {
    let explained = Explained::new("").await;
    let refused = explained
        .with_token("DELETE /orders/7", "orders:read")
        .await;
    let route = refused.route.unwrap();
    assert_eq!((&*route.name, route.index), ("default", None));
    assert_eq!(route.near, ["orders"]);
    let refused = explained
        .with_token("GET /elsewhere", "orders:read")
        .await;
    assert!(refused.route.unwrap().near.is_empty());
}

/// A WebSocket's token among the subprotocols is found, as at the proxy.
#[tokio::test]
async fn a_token_among_subprotocols_is_found() {
    let explained = Explained::new("").await;
    let token = explained
        .idp
        .token("alice")
        .scope("orders:read")
        .sign();
    let offered = format!("bearer, {token}");
    let mut fields = vec![
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", &offered),
    ];
    let explanation = explained.explain("GET /orders/7", &fields).await;
    assert_eq!(explanation.verdict.kind, VerdictKind::Forwarded);
    // Without a handshake the field is any other.
    fields.remove(1);
    let explanation = explained.explain("GET /orders/7", &fields).await;
    assert_eq!(explanation.verdict.code, Some("credential.missing"));
}

/// Where another proxy forwards, the verdict is that of the door that it asks.
#[tokio::test]
async fn identity_headers_of_a_client_are_refused_where_nobody_removes_them() {
    const CADDY: &str = "[forward_auth]\nlisten = \"127.0.0.1:0\"\nproxy = \"caddy\"\n\
        trusted_peers = [\"127.0.0.1\"]\n";
    const ENVOY: &str = "[ext_authz]\nlisten = \"127.0.0.1:0\"\n";
    let forged = [("x-auth-else", "alice")];
    for (doors, code) in [
        (CADDY.to_owned(), Some("request.header")),
        (ENVOY.to_owned(), None),
        (format!("{CADDY}{ENVOY}"), None),
    ] {
        let route = "[[route]]\npath = \"/public\"\naccess = \"public\"\n";
        let explained = Explained::with(&format!("{doors}{route}")).await;
        let verdict = explained.explain("GET /public", &forged).await.verdict;
        assert_eq!(verdict.code, code, "{doors}");
        let verdict = explained.explain("GET /public", &[]).await.verdict;
        assert_eq!(verdict.kind, VerdictKind::Forwarded);
    }
}

/// A proof names the whole URL, and its scheme is that of the listener, as at the proxy.
#[tokio::test]
async fn a_proof_is_compared_with_the_url_of_the_gateway() {
    let explained = Explained::new("").await;
    let key = ProofKey::new();
    let cnf = json!({ "jkt": key.thumbprint() });
    let token = explained.idp.token("alice").scope("orders:read");
    let token = token.claim("cnf", cnf).sign();
    let bound = format!("DPoP {token}");
    for (url, code) in [
        ("http://gw.example/orders/7", None),
        ("https://gw.example/orders/7", Some("proof.url")),
    ] {
        let proof = key.sign(&key.claims("GET", url, &token, 1_800_000_000));
        let fields = [("authorization", &*bound), ("dpop", &*proof)];
        let explanation = explained.explain("GET /orders/7", &fields).await;
        assert_eq!(explanation.verdict.code, code, "{url}");
        let token = explanation.token.as_ref().unwrap();
        let failed = token.first_obstacle().map(|step| step.code);
        assert_eq!(failed, code, "{url}");
        let steps = &token.steps;
        let step = steps.iter().find(|it| it.name == "URL of the proof");
        assert_eq!(step.unwrap().code, "proof.url");
    }
}

#[tokio::test]
async fn nothing_is_left_behind() {
    let file = std::env::temp_dir().join(format!("portcullis-explain-{}", std::process::id()));
    let log = format!("[log]\naudit = \"{}\"\n", file.display());
    let explained = Explained::new(&log).await;
    // The settings allow one refusal a minute; a question is none.
    for _ in 0..5 {
        let refused = explained.explain("GET /orders/7", &[]).await;
        assert_eq!(refused.verdict.code, Some("credential.missing"));
    }
    assert!(!file.exists(), "an audit record was written");
}
