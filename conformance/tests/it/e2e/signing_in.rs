//! Signing in at the development identity provider as a person does: in Chromium, from an
//! application and back.

use super::chromium::Chromium;
use axum::extract::RawQuery;
use axum::response::Html;
use axum::routing::get;
use portcullis_idp::{Idp, IdpConfig};
use serde_json::Value;
use url::Url;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application: its page is what the browser comes back to.
async fn application() -> String {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let redirect_uri = format!("http://{}/callback", socket.local_addr().unwrap());
    let page = |RawQuery(query): RawQuery| async move {
        let told = if query.unwrap_or_default().contains("code=") {
            "Welcome back"
        } else {
            "As you like"
        };
        Html(format!(
            "<!doctype html><html lang=\"en\"><title>App</title><main><h1>{told}</h1></main></html>"
        ))
    };
    tokio::spawn(async move {
        axum::serve(socket, axum::Router::new().route("/callback", get(page))).await
    });
    redirect_uri
}

fn start_of(idp: &Idp, redirect_uri: &str) -> String {
    let mut url = Url::parse(&format!("{}/authorize", idp.base())).unwrap();
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", "web"),
        ("redirect_uri", redirect_uri),
        ("scope", "openid orders:read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "<script>\"x\"</script> &y"),
    ]);
    url.into()
}

fn parameter(url: &str, name: &str) -> Option<String> {
    Url::parse(url)
        .unwrap()
        .query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_the_application_gets_tokens() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let redirect_uri = application().await;
    assert_eq!(browser.open(&start_of(&idp, &redirect_uri)).await, 200);
    browser.examine("sign-in").await;

    browser.fill("Username", "alice").await;
    browser.fill("Password", "wrong").await;
    browser.press("Sign in").await;
    browser.see("Wrong username or password").await;
    browser.examine("sign-in-wrong").await;

    browser.fill("Username", "alice").await;
    browser.fill("Password", "alice").await;
    browser.key("Enter").await;
    let back = browser.at(&redirect_uri).await;
    browser.see("Welcome back").await;
    assert_eq!(
        parameter(&back, "state").as_deref(),
        Some("<script>\"x\"</script> &y")
    );
    assert_eq!(
        parameter(&back, "iss").as_deref(),
        Some(idp.issuer().as_str())
    );
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "web"),
        ("redirect_uri", &redirect_uri),
        ("code", &parameter(&back, "code").unwrap()),
        ("code_verifier", VERIFIER),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let request = reqwest::Client::new()
        .post(idp.token_endpoint())
        .body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer: Value =
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(answer["scope"], "openid orders:read");
    assert!(answer["access_token"].is_string() && answer["id_token"].is_string());
    browser.finish().await;
}

/// By the keyboard alone: the first stops are the known users.
#[tokio::test(flavor = "multi_thread")]
async fn a_known_user_signs_in_by_one_press() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let redirect_uri = application().await;
    browser.open(&start_of(&idp, &redirect_uri)).await;
    browser.key("Tab").await;
    assert!(browser.focused().await.starts_with("Alice Adams"));
    browser.key("Tab").await;
    assert!(browser.focused().await.starts_with("Bob Brown"));
    browser.key("Enter").await;
    let back = browser.at(&redirect_uri).await;
    browser.see("Welcome back").await;
    assert!(parameter(&back, "code").is_some());

    // In the form, Enter is for the form.
    browser.open(&start_of(&idp, &redirect_uri)).await;
    browser.fill("Username", "nobody").await;
    browser.key("Enter").await;
    browser.fill("Password", "nobody").await;
    browser.key("Enter").await;
    browser.see("Wrong username or password").await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_declines_is_sent_back_without_a_code() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let redirect_uri = application().await;
    browser.open(&start_of(&idp, &redirect_uri)).await;
    browser.press("Cancel").await;
    let back = browser.at(&redirect_uri).await;
    browser.see("As you like").await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "code"), None);

    // To an address that nobody registered nobody is sent.
    let elsewhere = start_of(&idp, "https://attacker.example/callback");
    assert_eq!(browser.open(&elsewhere).await, 400);
    browser.see("Invalid request").await;
    browser.see("https://attacker.example/callback").await;
    browser.examine("sign-in-refused").await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_let_in_by_its_code() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = Idp::start(IdpConfig {
        device_poll_interval: 0,
        ..IdpConfig::default()
    })
    .await
    .unwrap();
    let post = async |path: &str, form: String| -> Value {
        let request = reqwest::Client::new()
            .post(format!("{}{path}", idp.base()))
            .body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    };
    let begin = async || {
        post(
            "/device_authorization",
            "client_id=web&scope=orders:read".to_owned(),
        )
        .await
    };
    let poll = async |device: &Value| {
        let code = device["device_code"].as_str().unwrap();
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        post(
            "/token",
            format!("grant_type={grant}&client_id=web&device_code={code}"),
        )
        .await
    };
    let device = begin().await;
    assert_eq!(poll(&device).await["error"], "authorization_pending");
    browser
        .open(device["verification_uri"].as_str().unwrap())
        .await;
    browser.examine("device-code").await;
    browser.fill("Code on your device", "WRONG-CODE").await;
    browser.press("Continue").await;
    browser.examine("device-code-wrong").await;
    browser
        .fill("Code on your device", device["user_code"].as_str().unwrap())
        .await;
    browser.press("Continue").await;
    browser.see("asks for access to").await;
    browser.examine("device-sign-in").await;
    browser.fill("Username", "alice").await;
    browser.fill("Password", "alice").await;
    browser.press("Sign in").await;
    browser.see("The device has access now").await;
    browser.examine("device-done").await;
    assert_eq!(poll(&device).await["scope"], "orders:read");

    let device = begin().await;
    browser
        .open(device["verification_uri_complete"].as_str().unwrap())
        .await;
    browser.press("Cancel").await;
    browser.see("The device gets no access").await;
    browser.examine("device-refused").await;
    assert_eq!(poll(&device).await["error"], "access_denied");
    browser.finish().await;
}

/// The browser is known again after signing in, until the user logs out.
#[tokio::test(flavor = "multi_thread")]
async fn who_logs_out_has_to_sign_in_again() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let redirect_uri = application().await;
    let start = start_of(&idp, &redirect_uri);
    let without_a_page = format!("{start}&prompt=none");
    browser.open(&without_a_page).await;
    let back = browser.at(&redirect_uri).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("login_required"));
    browser.open(&start).await;
    browser.fill("Username", "alice").await;
    browser.fill("Password", "alice").await;
    browser.press("Sign in").await;
    browser.see("Welcome back").await;
    browser.open(&without_a_page).await;
    assert!(
        parameter(&browser.url().await, "code").is_some(),
        "known again"
    );

    browser.open(&format!("{}/logout", idp.base())).await;
    browser.examine("log-out").await;
    browser.press("Sign out").await;
    browser.see("Signed out").await;
    browser.examine("logged-out").await;
    browser.open(&without_a_page).await;
    assert_eq!(
        parameter(&browser.url().await, "error").as_deref(),
        Some("login_required")
    );
    browser.finish().await;
}

/// What programs find in BROWSER, for their own tests.
#[tokio::test(flavor = "multi_thread")]
async fn the_browser_that_signs_in_by_itself_does() {
    let Some(script) = super::chromium::signing_in() else {
        return;
    };
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let redirect_uri = application().await;
    let browsed = tokio::process::Command::new(script)
        .arg(start_of(&idp, &redirect_uri))
        .output();
    let browsed = browsed.await.unwrap();
    assert_eq!(String::from_utf8_lossy(&browsed.stderr), "");
    assert_eq!(
        String::from_utf8_lossy(&browsed.stdout).trim(),
        "Welcome back"
    );
}
