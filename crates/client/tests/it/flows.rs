//! Flows with a provider that misbehaves.

use crate::scripted::{Reply, Scripted, ticking};
use portcullis_client::{Client, DpopKey, Error, TokenKind, TokenRequest};
use serde_json::json;

const CALLBACK: &str = "http://127.0.0.1/callback";

fn tokens() -> Reply {
    Reply::json(
        200,
        &json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 300 }),
    )
}

fn code(client: &Client, scope: &str) -> portcullis_client::AuthorizationRequest {
    client.authorization_code(
        &TokenRequest::new()
            .scope(scope)
            .resource("https://api.example"),
    )
}

/// The matching callback of a flow.
fn callback(flow: &portcullis_client::CodeFlow) -> String {
    let state = flow
        .url()
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    format!("code=c&state={state}")
}

#[tokio::test]
async fn a_provider_that_lists_other_methods_only_is_refused() {
    for methods in [json!(["plain"]), json!([])] {
        let idp = Scripted::start().await;
        idp.says("code_challenge_methods_supported", methods);
        let error = code(&idp.client(), "a")
            .start(CALLBACK)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{error}");
        assert!(
            error
                .to_string()
                .contains("pass `--danger-without-pkce`"),
            "{error}"
        );
        let flow = code(&idp.client(), "a")
            .danger_without_pkce()
            .start(CALLBACK)
            .await
            .unwrap();
        assert!(
            flow.url()
                .query()
                .unwrap()
                .contains("code_challenge_method=S256")
        );
        assert!(!flow.pkce_is_confirmed());
    }
}

/// If the metadata does not mention PKCE, the challenge is sent anyway, and the flow reports it.
#[tokio::test]
async fn silence_about_pkce_is_no_refusal() {
    let idp = Scripted::start().await;
    let confirmed = code(&idp.client(), "a").start(CALLBACK).await.unwrap();
    assert!(confirmed.pkce_is_confirmed());
    idp.says("code_challenge_methods_supported", json!(null));
    let flow = code(&idp.client(), "a").start(CALLBACK).await.unwrap();
    assert!(!flow.pkce_is_confirmed());
    assert!(
        flow.url()
            .query()
            .unwrap()
            .contains("code_challenge_method=S256")
    );
    let query = callback(&flow);
    assert!(flow.finish(&query).await.is_ok());
    assert_eq!(
        idp.asked()[0].member("code_verifier").map(str::len),
        Some(43)
    );
}

#[tokio::test]
async fn the_code_goes_with_its_verifier_and_its_api() {
    let idp = Scripted::start().await;
    let client = idp.client();
    let flow = code(&client, "a").start(CALLBACK).await.unwrap();
    let query = callback(&flow);
    assert!(flow.finish(&query).await.is_ok());
    let asked = &idp.asked()[0];
    let member = |name| asked.member(name);
    assert_eq!(
        (member("grant_type"), member("code")),
        (Some("authorization_code"), Some("c"))
    );
    assert_eq!(
        (member("redirect_uri"), member("resource")),
        (Some(CALLBACK), Some("https://api.example"))
    );
    assert_eq!(
        (member("scope"), member("code_verifier").map(str::len)),
        (None, Some(43))
    );
    assert!(!format!("{:?}", code(&client, "a").start(CALLBACK).await.unwrap()).contains("state"));
}

#[tokio::test]
async fn an_id_token_that_was_asked_for_has_to_come() {
    let idp = Scripted::start().await;
    idp.answers(tokens());
    let flow = code(&idp.client(), "openid")
        .start(CALLBACK)
        .await
        .unwrap();
    let query = callback(&flow);
    let error = flow.finish(&query).await.unwrap_err();
    assert!(
        error.to_string().contains("the response holds none"),
        "{error}"
    );
}

#[tokio::test]
async fn parameters_of_the_flow_cannot_be_changed() {
    let idp = Scripted::start().await;
    for name in [
        "state",
        "nonce",
        "redirect_uri",
        "response_mode",
        "request_uri",
        "scope",
        "resource",
    ] {
        let request = code(&idp.client(), "a").parameter(name, "x");
        assert!(
            matches!(request.start(CALLBACK).await, Err(Error::Config(_))),
            "{name}"
        );
    }
    assert!(
        code(&idp.client(), "a")
            .prompt("login")
            .prompt("none")
            .start(CALLBACK)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_provider_that_wants_pushed_requests_gets_them() {
    let idp = Scripted::start().await;
    idp.says("require_pushed_authorization_requests", json!(true));
    idp.answers(Reply::json(
        201,
        &json!({ "request_uri": "urn:x:1", "expires_in": 60 }),
    ));
    let flow = code(&idp.client(), "a").start(CALLBACK).await.unwrap();
    let expected = format!(
        "{}/authorize?client_id=app&request_uri=urn%3Ax%3A1",
        idp.base
    );
    assert_eq!(flow.url().as_str(), expected);
    let pushed = &idp.asked()[0];
    assert_eq!(
        (pushed.path.as_str(), pushed.member("code_challenge_method")),
        ("/par", Some("S256"))
    );
    idp.answers(Reply::json(400, &json!({ "error": "invalid_request" })));
    assert!(matches!(
        code(&idp.client(), "a").start(CALLBACK).await,
        Err(Error::Refusal(_))
    ));
    idp.answers(Reply::json(201, &json!({ "expires_in": 60 })));
    assert!(matches!(
        code(&idp.client(), "a").start(CALLBACK).await,
        Err(Error::InvalidResponse(_))
    ));
}

#[tokio::test]
async fn a_nonce_is_asked_for_once_and_remembered() {
    let idp = Scripted::start().await;
    let bound = || Reply::json(200, &json!({ "access_token": "t", "token_type": "DPoP" }));
    let wanted =
        || Reply::json(400, &json!({ "error": "use_dpop_nonce" })).with("dpop-nonce", "n-1");
    let client = idp.client().dpop(DpopKey::generate().unwrap());
    idp.answers(wanted())
        .answers(bound().with("dpop-nonce", "n-2"))
        .answers(bound());
    for _ in 0..2 {
        let tokens = client
            .client_credentials(&TokenRequest::new())
            .await
            .unwrap();
        assert_eq!(tokens.access_token().kind(), TokenKind::Dpop);
    }
    let nonces: Vec<_> = idp
        .asked()
        .iter()
        .map(|asked| nonce(&asked.headers["dpop"]))
        .collect();
    assert_eq!(nonces, [json!(null), json!("n-1"), json!("n-2")]);
    // A provider that wants a new nonce each time gets only two requests.
    idp.answers(wanted()).answers(wanted());
    let error = client
        .client_credentials(&TokenRequest::new())
        .await
        .unwrap_err();
    assert_eq!(
        error.refusal().map(|refusal| refusal.error()),
        Some("use_dpop_nonce")
    );
    assert_eq!(idp.count("/token"), 5);
}

fn nonce(proof: &http::HeaderValue) -> serde_json::Value {
    let claims = proof
        .to_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap()
        .to_owned();
    let claims = portcullis_core::jose::base64url::decode(&claims).unwrap();
    serde_json::from_slice::<serde_json::Value>(&claims).unwrap()["nonce"].clone()
}

#[tokio::test]
async fn a_token_that_is_not_bound_is_not_taken_for_one_that_is() {
    let idp = Scripted::start().await;
    let client = idp.client().dpop(DpopKey::generate().unwrap());
    idp.answers(tokens());
    let error = client
        .client_credentials(&TokenRequest::new())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("expected a token of type `DPoP`"),
        "{error}"
    );
}

fn device(change: impl Fn(&mut serde_json::Value)) -> Reply {
    let mut answer = json!({
        "device_code": "d", "user_code": "ABCD-EFGH", "verification_uri": "https://idp.example/device",
        "expires_in": 60, "interval": 5,
    });
    change(&mut answer);
    answer
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    Reply::json(200, &answer)
}

#[tokio::test]
async fn devices_ask_as_slowly_as_they_should() {
    let idp = Scripted::start().await;
    let refused = |error: &str| Reply::json(400, &json!({ "error": error }));
    idp.answers(device(|_| ()))
        .answers(refused("authorization_pending"))
        .answers(refused("slow_down"))
        .answers(Reply::json(503, &json!({})))
        .answers(tokens());
    let flow = idp
        .client()
        .device(&TokenRequest::new())
        .await
        .unwrap();
    let mut waits = Vec::new();
    let waiting = flow.finish(|progress| {
        waits.push((
            progress.next_request().as_secs(),
            progress.outage().is_some(),
        ));
    });
    let tokens = ticking(&idp.clock, waiting).await;
    assert!(tokens.is_ok(), "{tokens:?}");
    assert_eq!(waits, [(5, false), (5, false), (10, false), (20, true)]);
}

#[tokio::test]
async fn a_device_does_not_wait_for_an_expired_code() {
    let idp = Scripted::start().await;
    idp.answers(device(|answer| answer["expires_in"] = json!(12)));
    let flow = idp
        .client()
        .device(&TokenRequest::new())
        .await
        .unwrap();
    let mut waits = Vec::new();
    for _ in 0..3 {
        idp.answers(Reply::json(
            400,
            &json!({ "error": "authorization_pending" }),
        ));
    }
    let ended = ticking(
        &idp.clock,
        flow.finish(|progress| waits.push(progress.next_request().as_secs())),
    )
    .await;
    assert!(
        ended
            .unwrap_err()
            .to_string()
            .contains("expired_token")
    );
    assert!(waits.iter().sum::<u64>() <= 12, "{waits:?}");
}

#[tokio::test]
async fn what_a_device_is_told_is_read_strictly() {
    let idp = Scripted::start().await;
    let changes: &[(&str, serde_json::Value)] = &[
        ("device_code", json!(null)),
        ("user_code", json!("")),
        ("verification_uri", json!("javascript:alert(1)")),
        ("verification_uri", json!("http://idp.example/device")),
        ("verification_uri_complete", json!("file:///etc/passwd")),
        ("verification_uri", json!(null)),
        ("verification_url", json!(7)),
        ("expires_in", json!("soon")),
        ("expires_in", json!([60])),
        ("interval", json!("often")),
    ];
    for (name, value) in changes {
        idp.answers(device(|answer| {
            if *name == "verification_url" {
                answer["verification_uri"] = json!(null);
            }
            answer[*name] = value.clone();
        }));
        let answer = idp.client().device(&TokenRequest::new()).await;
        assert!(
            matches!(answer, Err(Error::InvalidResponse(_))),
            "{name} {value}"
        );
    }
    idp.answers(device(|answer| {
        answer["user_code"] = json!("AB\u{1b}[31mCD");
    }));
    assert_eq!(
        idp.client()
            .device(&TokenRequest::new())
            .await
            .unwrap()
            .user_code(),
        "AB [31mCD"
    );
}
