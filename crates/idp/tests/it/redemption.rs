//! Codes and refresh tokens: how long they are good, why they are refused, and a client without
//! PKCE.

use crate::{CALLBACK, VERIFIER, authorize_query, client, clock, code, code_form, json};
use crate::{parameter, post, with_client};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_idp::{Idp, IdpConfig, RegisteredClient, Secret};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

async fn started(change: impl Fn(&mut IdpConfig)) -> (Idp, Arc<AtomicU64>) {
    let (time, clock) = clock();
    let mut config = with_client(RegisteredClient {
        id: "legacy".to_owned(),
        secret: Some(Secret::new("legacy-secret")),
        redirect_uris: vec![CALLBACK.to_owned()],
        scopes: vec!["orders:read".to_owned()],
        danger_no_pkce: true,
        ..RegisteredClient::default()
    });
    change(&mut config);
    (Idp::start_at(config, clock).await.unwrap(), time)
}

async fn token(idp: &Idp, form: &str) -> (u16, Value) {
    json(post(idp, "/token", form, None).await).await
}

async fn refused(idp: &Idp, form: &str) -> String {
    let (status, answer) = token(idp, form).await;
    assert_eq!((status, &answer["error"]), (400, &"invalid_grant".into()));
    answer["error_description"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn refresh_form(tokens: &Value) -> String {
    let token = tokens["refresh_token"].as_str().unwrap();
    format!("grant_type=refresh_token&client_id=web&refresh_token={token}")
}

#[tokio::test]
async fn a_refused_code_tells_what_happened_to_it() {
    let (idp, time) = started(|_| {}).await;
    let form = code_form(&code(&idp).await);
    let (_, tokens) = token(&idp, &form).await;
    time.fetch_add(3, SeqCst);
    assert_eq!(
        refused(&idp, &form).await,
        "the code was used 3 s ago, and is good once; all tokens of its sign-in are revoked now"
    );
    assert_eq!(
        refused(&idp, &refresh_form(&tokens)).await,
        "the grant of the refresh token was revoked: a code or a refresh token of it was used \
         twice"
    );
    let form = code_form(&code(&idp).await);
    time.fetch_add(72, SeqCst);
    let told = "the code expired 12 s ago: it is good for 60 s";
    assert_eq!(refused(&idp, &form).await, told);
    let told = "the code is unknown: never issued here, or long ago";
    assert_eq!(refused(&idp, &code_form("made-up")).await, told);
    time.fetch_add(3_600, SeqCst);
    assert_eq!(refused(&idp, &form).await, told);
}

#[tokio::test]
async fn a_refused_refresh_token_tells_what_happened_to_it() {
    let (idp, time) = started(|config| config.refresh_token_lifetime = 100).await;
    let (_, first) = token(&idp, &code_form(&code(&idp).await)).await;
    let (_, second) = token(&idp, &refresh_form(&first)).await;
    time.fetch_add(5, SeqCst);
    let told = "the refresh token was used 5 s ago, and is good once; all tokens of its sign-in \
        are revoked now";
    assert_eq!(refused(&idp, &refresh_form(&first)).await, told);
    assert!(
        refused(&idp, &refresh_form(&second))
            .await
            .ends_with("used twice")
    );
    let (_, tokens) = token(&idp, &code_form(&code(&idp).await)).await;
    let stolen = refresh_form(&tokens).replace("=web", "=service&client_secret=service-secret");
    let told = "the refresh token was issued to the client `web`";
    assert_eq!(refused(&idp, &stolen).await, told);
    let (_, signed_out) = token(&idp, &code_form(&code(&idp).await)).await;
    _ = post(&idp, "/dev/logout", "user=alice", None).await;
    let told = "the grant of the refresh token was revoked: the user signed out";
    assert_eq!(refused(&idp, &refresh_form(&signed_out)).await, told);
}

/// `clock_off` ages what was issued before.
#[tokio::test]
async fn lifetimes_are_settings_and_a_wrong_clock_ages_everything() {
    let (idp, _) = started(|config| {
        config.authorization_code_lifetime = 300;
        config.refresh_token_lifetime = 900;
        config.id_token_lifetime = Some(120);
    })
    .await;
    let off = async |seconds: u32| {
        let form = format!("clock_off={seconds}");
        assert_eq!(post(&idp, "/dev/faults", &form, None).await.status(), 200);
    };
    let (kept, late) = (code(&idp).await, code(&idp).await);
    off(299).await;
    let (status, tokens) = token(&idp, &code_form(&kept)).await;
    assert_eq!(status, 200, "{tokens}");
    let id_token = tokens["id_token"].as_str().unwrap();
    let payload = id_token.split('.').nth(1).unwrap();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let life = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!((life, &tokens["expires_in"]), (120, &3_600.into()));
    off(300).await;
    let told = "the code expired 0 s ago: it is good for 300 s";
    assert_eq!(refused(&idp, &code_form(&late)).await, told);
    off(299 + 901).await;
    let told = "the refresh token expired 1 s ago: it is good for 900 s";
    assert_eq!(refused(&idp, &refresh_form(&tokens)).await, told);
}

const NO_PKCE: [(&str, &str); 3] = [
    ("client_id", "legacy"),
    ("code_challenge", ""),
    ("code_challenge_method", ""),
];

async fn sign_in(idp: &Idp, change: &[(&str, &str)]) -> reqwest::Response {
    let path = format!("/authorize?{}", authorize_query(change));
    post(idp, &path, "username=alice&password=alice", None).await
}

#[tokio::test]
async fn a_legacy_client_may_go_without_pkce_and_no_other_one() {
    let (idp, _) = started(|_| {}).await;
    let form = |code: &str| {
        code_form(code).replace(
            "client_id=web",
            "client_id=legacy&client_secret=legacy-secret",
        )
    };
    let bare = |code: &str| form(code).replace(&format!("&code_verifier={VERIFIER}"), "");
    let code = parameter(&sign_in(&idp, &NO_PKCE).await, "code").unwrap();
    assert_eq!(token(&idp, &bare(&code)).await.0, 200);
    // A verifier without a challenge: somebody took the challenge out.
    let code = parameter(&sign_in(&idp, &NO_PKCE).await, "code").unwrap();
    assert!(
        refused(&idp, &form(&code))
            .await
            .contains("expected none")
    );
    // A challenge that is sent counts.
    let code = parameter(&sign_in(&idp, &NO_PKCE[..1]).await, "code").unwrap();
    assert!(
        refused(&idp, &bare(&code))
            .await
            .contains("found `none`")
    );
    let code = parameter(&sign_in(&idp, &NO_PKCE[..1]).await, "code").unwrap();
    assert_eq!(token(&idp, &form(&code)).await.0, 200);
    let plain = [NO_PKCE[0], ("code_challenge_method", "plain")];
    assert!(parameter(&sign_in(&idp, &plain).await, "error").is_some());

    let query = authorize_query(&NO_PKCE[1..]);
    let url = format!("{}/authorize?{query}", idp.base());
    let response = client().get(url).send().await.unwrap();
    assert!(parameter(&response, "error").is_some());
}

#[tokio::test]
async fn a_public_client_cannot_go_without_pkce() {
    let config = with_client(RegisteredClient {
        id: "page".to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        danger_no_pkce: true,
        ..RegisteredClient::default()
    });
    let errors = Idp::start(config).await.unwrap_err().to_string();
    assert!(errors.contains("danger_no_pkce") && errors.contains("public client `page`"));
}
