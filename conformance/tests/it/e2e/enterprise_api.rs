//! The enterprise API as a process, and tokens from a real identity provider: 200, 401 and 403 over
//! HTTP.

use super::process::{Process, program};
use super::provider::{AUDIENCE, OTHER_AUDIENCE, Provider};
use serde_json::Value;
use std::process::Command;

struct Api {
    url: String,
    _process: Process,
}

struct Answer {
    status: u16,
    challenge: Option<String>,
    body: Value,
}

impl Api {
    fn start(issuer: &str) -> Self {
        let mut command = Command::new(program("enterprise-api"));
        command
            .env("OAUTH2_ISSUER", issuer)
            .env("OAUTH2_AUDIENCE", AUDIENCE)
            .env("LISTEN", "127.0.0.1:0");
        let process = Process::start(&mut command);
        let url = process
            .line()
            .strip_prefix("listening on ")
            .unwrap()
            .to_owned();
        Self {
            url,
            _process: process,
        }
    }

    async fn call(&self, path: &str, token: Option<&str>) -> Answer {
        let request = reqwest::Client::new().get(format!("{}{path}", self.url));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().await.unwrap();
        let challenge = response
            .headers()
            .get("www-authenticate")
            .map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        Answer {
            status,
            challenge,
            body: serde_json::from_str(&response.text().await.unwrap()).unwrap(),
        }
    }

    async fn expect(&self, path: &str, token: &str, status: u16, code: &str) {
        let answer = self.call(path, Some(token)).await;
        assert_eq!(
            (
                answer.status,
                answer.body["code"].as_str().unwrap_or_default()
            ),
            (status, code),
            "{path}: {}",
            answer.body
        );
        assert!(
            !answer.body.to_string().contains(token),
            "the answer echoes the token"
        );
        if status == 401 {
            assert!(
                answer
                    .challenge
                    .unwrap()
                    .contains("error=\"invalid_token\"")
            );
        }
    }
}

async fn answers_as_it_should(provider: &Provider) {
    let api = Api::start(&provider.issuer);
    assert_eq!(api.call("/public-data", None).await.status, 200);
    for path in ["/protected-data", "/admin-dashboard"] {
        let answer = api.call(path, None).await;
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (401, Some("credential.missing"))
        );
        let challenge = answer.challenge.unwrap();
        assert!(
            challenge.starts_with("Bearer realm=") && !challenge.contains("error"),
            "{challenge}"
        );
    }

    let service = provider.client_credentials(AUDIENCE).await;
    let alice = provider.sign_in("alice").await;
    let bob = provider.sign_in("bob").await;
    for token in [&service, &alice.access_token, &bob.access_token] {
        assert_eq!(api.call("/protected-data", Some(token)).await.status, 200);
        assert_eq!(api.call("/public-data", Some(token)).await.status, 200);
    }
    let greeting = api
        .call("/protected-data", Some(&alice.access_token))
        .await
        .body;
    assert_eq!(greeting["message"], "Hello, Alice Adams!");
    assert_eq!(greeting["claims"]["iss"], provider.issuer.as_str());
    assert!(greeting["user_id"].is_string());
    assert_eq!(
        api.call("/admin-dashboard", Some(&alice.access_token))
            .await
            .status,
        200
    );
    api.expect("/admin-dashboard", &bob.access_token, 403, "policy.role")
        .await;
    api.expect("/admin-dashboard", &service, 403, "policy.role")
        .await;

    let other = provider.client_credentials(OTHER_AUDIENCE).await;
    api.expect("/protected-data", &other, 401, "token.audience")
        .await;
    let id_token = &alice.id_token;
    let refused = api.call("/protected-data", Some(id_token)).await;
    assert_eq!(refused.status, 401, "an ID token is no access token");
    api.expect("/protected-data", "garbage", 401, "token.malformed")
        .await;
    api.expect(
        "/protected-data",
        &tampered(&service),
        401,
        "token.signature",
    )
    .await;
}

/// The same token with another first byte of its signature.
fn tampered(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{input}.{first}{}", &signature[1..])
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certified_provider() {
    for algorithm in ["RS256", "ES256"] {
        let Some(provider) = Provider::certified(algorithm).await else {
            return;
        };
        answers_as_it_should(&provider).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_our_own_provider() {
    for algorithm in ["RS256", "ES256", "PS256", "EdDSA"] {
        answers_as_it_should(&Provider::ours(algorithm).await).await;
    }
}

#[test]
fn missing_settings_are_told_all_at_once() {
    let folder = std::env::temp_dir();
    let output = Command::new(program("enterprise-api"))
        .env_remove("OAUTH2_ISSUER")
        .env_remove("OAUTH2_AUDIENCE")
        .current_dir(folder)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        told.contains("OAUTH2_ISSUER")
            && told.contains("OAUTH2_AUDIENCE")
            && told.contains("help:"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_down_is_no_401() {
    let provider = Provider::ours("ES256").await;
    let token = provider.client_credentials(AUDIENCE).await;
    let issuer = provider.issuer.clone();
    drop(provider);
    let api = Api::start(&issuer);
    assert_eq!(api.call("/public-data", None).await.status, 200);
    let answer = api.call("/protected-data", Some(&token)).await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (503, Some("outage.metadata"))
    );
    assert_eq!(answer.challenge, None);
}
