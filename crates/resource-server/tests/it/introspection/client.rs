//! Who asks: each way for a client to prove itself, and signed answers.

use super::{IntrospectionSetup, server, server_of};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use portcullis_core::jose::base64url::encode;
use portcullis_idp::{Idp, IdpConfig, RegisteredClient};
use portcullis_resource_server::clock::Clock as _;
use portcullis_resource_server::{Config, ResourceServer, Settings};
use portcullis_testkit::{Answer, AnsweringServer, clock, decide};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// A file in a folder of its own, gone with the value.
pub(super) struct File(PathBuf);

impl File {
    pub(super) fn new(content: &str) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "portcullis-introspection-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // Nothing depends on it.
        _ = std::fs::remove_file(&self.0);
    }
}

pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let text = encode(der).replace('-', "+").replace('_', "/");
    let padded = format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4));
    let lines: Vec<&str> = padded
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn rsa() -> (String, Value) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = pair.public_key();
    let n = public
        .modulus()
        .big_endian_without_leading_zero()
        .to_vec();
    let e = public
        .exponent()
        .big_endian_without_leading_zero()
        .to_vec();
    let der =
        aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    (
        pem("PRIVATE KEY", der.as_ref()),
        json!({ "kty": "RSA", "n": encode(&n), "e": encode(&e) }),
    )
}

fn p256() -> (String, Value) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
    (pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref()), jwk)
}

fn ed25519() -> (String, Value) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) });
    (pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref()), jwk)
}

#[tokio::test]
async fn a_client_proves_itself_by_its_secret_in_the_header_or_in_the_form() {
    for more in ["", "auth = \"client_secret_post\""] {
        let world = IntrospectionSetup::new(more).await;
        let token = world.idp.token("alice").opaque();
        assert_eq!(world.decide(&token).await, "allow", "{more}");
    }
    let endpoint = AnsweringServer::start(r#"{"active":true,"aud":"api://enterprise-api"}"#).await;
    let server = server(
        "https://idp.example",
        &format!("endpoint = \"{}/ask\"", endpoint.url),
        &clock(),
    );
    assert_eq!(decide(&server, "a+/b~==").await, "allow");
    let request = endpoint.requests().remove(0);
    let header = |name: &str| {
        request
            .headers
            .get(name)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(request.path, "/ask");
    assert_eq!(
        request.body,
        "token=a%2B%2Fb%7E%3D%3D&token_type_hint=access_token"
    );
    assert_eq!(header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(header("accept"), "application/json");
    assert_eq!(
        header("authorization"),
        "Basic c2VydmljZTpzZXJ2aWNlLXNlY3JldA=="
    );
}

#[tokio::test]
async fn a_client_proves_itself_by_its_key() {
    let keys = [
        ("RS256", rsa()),
        ("PS256", rsa()),
        ("ES256", p256()),
        ("EdDSA", ed25519()),
    ];
    for (algorithm, (pem, mut jwk)) in keys {
        let clock = clock();
        jwk["alg"] = json!(algorithm);
        let client = RegisteredClient {
            id: "service".to_owned(),
            secret: None,
            jwk: Some(jwk),
            ..IdpConfig::default().clients.remove(0)
        };
        let config = IdpConfig {
            clients: vec![client],
            ..IdpConfig::default()
        };
        let now = Arc::clone(&clock);
        let idp = Idp::start_at(config, move || u64::try_from(now.now().seconds()).unwrap())
            .await
            .unwrap();
        let file = File::new(&pem);
        let more = format!(
            "auth = \"private_key_jwt\"\nprivate_key_file = \"{}\"\nkey_id = \"k\"\nsigning_algorithm = \"{algorithm}\"\ncache_seconds = 0",
            file.path()
        );
        let server = server(idp.issuer().as_str(), &more, &clock);
        let token = idp.token("alice").opaque();
        // Each assertion is used once: the provider refuses a second time.
        for _ in 0..2 {
            assert_eq!(decide(&server, &token).await, "allow", "{algorithm}");
        }
    }
}

/// A workload's assertion, which its platform signs, keeps in a file, and replaces.
#[tokio::test]
async fn a_ready_assertion_is_read_each_time() {
    let endpoint = AnsweringServer::start(r#"{"active":false}"#).await;
    let file = File::new("a.b.c\n");
    let text = format!(
        "[[issuer]]\nurl = \"https://idp.example\"\naudience = [\"a\"]\n[issuer.introspection]\nclient_id = \"service\"\n\
         client_assertion_file = \"{}\"\nendpoint = \"{}\"\n",
        file.path(),
        endpoint.url
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let server = ResourceServer::with_clock(settings, clock());
    for (token, assertion) in [("one", "a.b.c\n"), ("two", "d.e.f")] {
        std::fs::write(file.path(), assertion).unwrap();
        assert_eq!(decide(&server, token).await, "token.inactive");
    }
    // A file that is being written is no reason to say that the token is bad.
    std::fs::write(file.path(), "").unwrap();
    assert!(decide(&server, "three").await.starts_with("outage."));
    let sent: Vec<String> = endpoint
        .requests()
        .iter()
        .filter_map(|request| {
            let mut form = url::form_urlencoded::parse(request.body.as_bytes());
            form.find(|(name, _)| name == "client_assertion")
                .map(|(_, value)| value.into_owned())
        })
        .collect();
    assert_eq!(sent, ["a.b.c", "d.e.f"]);
}

#[tokio::test]
async fn an_assertion_is_short_lived_and_for_the_issuer() {
    let endpoint = AnsweringServer::start(r#"{"active":false}"#).await;
    let (pem, _) = ed25519();
    let file = File::new(&pem);
    let more = format!(
        "auth = \"private_key_jwt\"\nprivate_key_file = \"{}\"\nkey_id = \"k-1\"\nendpoint = \"{}\"",
        file.path(),
        endpoint.url
    );
    let server = server("https://idp.example", &more, &clock());
    assert_eq!(decide(&server, "one").await, "token.inactive");
    assert_eq!(decide(&server, "two").await, "token.inactive");
    let mut ids = Vec::new();
    for request in endpoint.requests() {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(request.body.as_bytes())
            .into_owned()
            .collect();
        let member = |name: &str| {
            form.iter()
                .find(|(key, _)| key == name)
                .unwrap()
                .1
                .clone()
        };
        assert!(request.headers.get("authorization").is_none());
        assert_eq!(member("client_id"), "service");
        assert_eq!(
            member("client_assertion_type"),
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        let assertion = member("client_assertion");
        let part = |number: usize| -> Value {
            let segment = assertion.split('.').nth(number).unwrap();
            serde_json::from_slice(&portcullis_core::jose::base64url::decode(segment).unwrap())
                .unwrap()
        };
        assert_eq!(
            part(0),
            json!({ "alg": "EdDSA", "kid": "k-1", "typ": "JWT" })
        );
        let mut claims = part(1);
        ids.push(claims["jti"].take());
        let expected = json!({
            "iss": "service", "sub": "service", "aud": "https://idp.example",
            "iat": 1_800_000_000, "exp": 1_800_000_060, "jti": null,
        });
        assert_eq!(claims, expected);
    }
    assert!(
        ids.len() == 2 && ids[0] != ids[1] && ids[0].as_str().unwrap().len() == 22,
        "{ids:?}"
    );
}

#[tokio::test]
async fn an_endpoint_may_ask_nobody_who_they_are() {
    let endpoint = AnsweringServer::start(r#"{"active":false}"#).await;
    let server = server(
        "https://idp.example",
        &format!("auth = \"none\"\nendpoint = \"{}\"", endpoint.url),
        &clock(),
    );
    assert_eq!(decide(&server, "one").await, "token.inactive");
    let request = endpoint.requests().remove(0);
    assert!(
        request.headers.get("authorization").is_none() && !request.body.contains("client"),
        "{}",
        request.body
    );
}

#[tokio::test]
async fn signed_answers_are_for_this_client_by_the_issuers_key() {
    let world = IntrospectionSetup::new("signed = true").await;
    let token = world.idp.token("alice").opaque();
    assert_eq!(world.decide(&token).await, "allow");
    assert_eq!(world.decide("made-up").await, "token.inactive");
    let signed = signed_for("service", "service-secret", &world.idp, &token).await;
    let plain = r#"{"active":true,"aud":"api://enterprise-api"}"#.to_owned();
    let endpoint = AnsweringServer::start("").await;
    let asking = |client: &str| {
        let more = format!(
            "signed = true\nendpoint = \"{}\"\nclient_id = \"{client}\"",
            endpoint.url
        );
        server_of(world.idp.issuer().as_str(), &more, &world.clock)
    };
    let access_token = world.idp.token("alice").sign();
    let (jwt, json) = ("application/token-introspection+jwt", "application/json");
    for (client, content_type, body, expected) in [
        ("service", jwt, signed.clone(), "allow"),
        (
            "service",
            "Application/Token-Introspection+JWT; charset=utf-8",
            signed.clone(),
            "allow",
        ),
        ("another", jwt, signed.clone(), "outage.introspection"),
        ("service", json, signed.clone(), "outage.introspection"),
        ("service", json, plain.clone(), "outage.introspection"),
        ("service", jwt, plain, "outage.introspection"),
        ("service", jwt, access_token, "outage.introspection"),
        (
            "service",
            jwt,
            format!("{}A", signed.trim_end_matches(|c: char| c != '.')),
            "outage.introspection",
        ),
    ] {
        let headers = vec![("content-type", content_type.to_owned())];
        endpoint.answer(Answer {
            status: 200,
            headers,
            body,
        });
        assert_eq!(
            decide(&asking(client), &token).await,
            expected,
            "{client} {content_type}"
        );
    }
}

/// A signed answer of the provider to this client.
async fn signed_for(client: &str, secret: &str, idp: &Idp, token: &str) -> String {
    let request = reqwest::Client::new()
        .post(idp.introspection_endpoint())
        .basic_auth(client, Some(secret));
    let request = request.header("accept", "application/token-introspection+jwt");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let response = request
        .body(format!("token={token}"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}
