//! The device grant (RFC 8628): two codes, a page, and a device that asks again.

use crate::{client, clock, json, post};
use portcullis_idp::{Idp, IdpConfig};
use serde_json::{Value, json};
use std::sync::atomic::Ordering::SeqCst;

const GRANT: &str =
    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=web";

async fn begin(idp: &Idp) -> Value {
    let (status, codes) = json(
        post(
            idp,
            "/device_authorization",
            "client_id=web&scope=openid+orders:read",
            None,
        )
        .await,
    )
    .await;
    assert_eq!(status, 200, "{codes}");
    codes
}

async fn poll(idp: &Idp, codes: &Value) -> (u16, Value) {
    let form = format!(
        "{GRANT}&device_code={}",
        codes["device_code"].as_str().unwrap()
    );
    json(post(idp, "/token", &form, None).await).await
}

async fn error(idp: &Idp, codes: &Value) -> String {
    let (status, body) = poll(idp, codes).await;
    assert_eq!(status, 400, "{body}");
    body["error"].as_str().unwrap().to_owned()
}

async fn started() -> (Idp, std::sync::Arc<std::sync::atomic::AtomicU64>) {
    let (time, clock) = clock();
    let config = IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    };
    (Idp::start_at(config, clock).await.unwrap(), time)
}

#[tokio::test]
async fn a_user_lets_a_device_in_on_the_page() {
    let (idp, _) = started().await;
    let codes = begin(&idp).await;
    let page = format!("{}/device", idp.issuer());
    let user_code = codes["user_code"].as_str().unwrap();
    assert_eq!(codes["verification_uri"], page);
    assert_eq!(
        codes["verification_uri_complete"],
        format!("{page}?user_code={user_code}")
    );
    assert_eq!(
        (&codes["expires_in"], &codes["interval"]),
        (&json!(600), &json!(5))
    );
    let text = async |url: &str| {
        client()
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    assert!(text(&page).await.contains("name=\"user_code\""));
    let asked = text(codes["verification_uri_complete"].as_str().unwrap()).await;
    assert!(
        asked.contains("<strong>web</strong>") && asked.contains("orders:read"),
        "{asked}"
    );
    assert!(
        text(&format!("{page}?user_code=WRNG-WRNG"))
            .await
            .contains("No device is waiting")
    );
    let form = |password: &str| format!("user_code={user_code}&username=alice&password={password}");
    assert_eq!(
        post(&idp, "/device", &form("wrong"), None)
            .await
            .status(),
        401
    );
    assert_eq!(error(&idp, &codes).await, "authorization_pending");
    let typed = form("alice").replace(user_code, &user_code.to_lowercase().replace('-', "+"));
    let response = post(&idp, "/device", &typed, None).await;
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("has access now")
    );
    let (status, tokens) = poll(&idp, &codes).await;
    assert_eq!(status, 200, "{tokens}");
    assert!(tokens["refresh_token"].is_string());
    let claims = crate::key::claims(tokens["access_token"].as_str().unwrap());
    let told =
        ["preferred_username", "client_id", "scope"].map(|name| claims[name].as_str().unwrap());
    assert_eq!(told, ["alice", "web", "openid orders:read"]);
    assert!(crate::key::claims(tokens["id_token"].as_str().unwrap())["auth_time"].is_number());
    assert_eq!(error(&idp, &codes).await, "invalid_grant", "given out once");
}

#[tokio::test]
async fn a_device_that_asks_too_fast_is_slowed_down() {
    let (idp, time) = started().await;
    let codes = begin(&idp).await;
    let after = async |seconds: u64| {
        time.fetch_add(seconds, SeqCst);
        error(&idp, &codes).await
    };
    assert_eq!(after(0).await, "authorization_pending");
    assert_eq!(after(4).await, "slow_down");
    assert_eq!(after(9).await, "slow_down", "ten seconds from now on");
    assert_eq!(after(15).await, "authorization_pending");
    assert!(idp.allow_device(codes["user_code"].as_str().unwrap(), "alice"));
    assert_eq!(
        poll(&idp, &codes).await.0,
        200,
        "an answer is not held back"
    );
}

#[tokio::test]
async fn refused_expired_and_made_up_codes_get_nothing() {
    let (idp, time) = started().await;
    let (refused, expired) = (begin(&idp).await, begin(&idp).await);
    let user_code = refused["user_code"].as_str().unwrap();
    let stranger = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code={}",
        refused["device_code"].as_str().unwrap()
    );
    let (_, body) = json(post(&idp, "/token", &stranger, crate::SERVICE).await).await;
    assert_eq!(body["error"], "invalid_grant", "another client's");
    let response = post(
        &idp,
        "/device",
        &format!("user_code={user_code}&cancel=1"),
        None,
    )
    .await;
    assert_eq!(response.status(), 200);
    assert_eq!(error(&idp, &refused).await, "access_denied");
    assert!(!idp.allow_device(user_code, "alice") && !idp.deny_device("BCDF-GHJK"));
    assert_eq!(
        error(&idp, &json!({ "device_code": "made-up" })).await,
        "invalid_grant"
    );
    time.fetch_add(600, SeqCst);
    assert_eq!(error(&idp, &expired).await, "expired_token");
    assert!(!idp.allow_device(expired["user_code"].as_str().unwrap(), "alice"));
    let (status, body) =
        json(post(&idp, "/device_authorization", "client_id=nobody", None).await).await;
    assert_eq!((status, &body["error"]), (401, &json!("invalid_client")));
}

#[tokio::test]
async fn a_device_is_let_in_without_a_browser() {
    let (idp, _) = started().await;
    for (form, status, answer) in [
        ("user=alice", 204, 200),
        ("user=nobody", 400, 400),
        ("deny=true", 204, 400),
    ] {
        let codes = begin(&idp).await;
        let form = format!("user_code={}&{form}", codes["user_code"].as_str().unwrap());
        assert_eq!(
            post(&idp, "/dev/device", &form, None).await.status(),
            status,
            "{form}"
        );
        assert_eq!(poll(&idp, &codes).await.0, answer, "{form}");
    }
}
