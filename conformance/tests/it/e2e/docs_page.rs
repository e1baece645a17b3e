//! The page of an API's description: somebody signs in by its Authorize button, with a code and
//! PKCE, and calls the API.

use super::chromium::Chromium;
use super::process::{Process, free_port, program};
use portcullis_idp::{Idp, IdpConfig};
use std::process::Command;

/// The orders, with a provider that lets pages on loopback fetch tokens.
async fn orders() -> (Idp, Process, String) {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let mut command = Command::new(program("orders-api"));
    command
        .env("OAUTH2_ISSUER", idp.issuer().as_str())
        .env("OAUTH2_AUDIENCE", idp.audience())
        .env("DATABASE_URL", "sqlite::memory:")
        .env("LISTEN", format!("127.0.0.1:{port}"))
        .env("ADMIN_LISTEN", "127.0.0.1:0");
    let process = Process::start(&mut command);
    process.lines_to("orders at ");
    (idp, process, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_at_the_page_and_makes_an_order() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let (idp, process, url) = orders().await;
    assert_eq!(browser.open(&format!("{url}/docs")).await, 200);
    browser.see("Create order").await;
    browser.photograph("docs").await;

    browser.press("Authorize").await;
    browser.photograph("docs-authorize").await;
    browser
        .press_for_window("Apply given OAuth2 credentials")
        .await;
    browser.at(idp.issuer().as_str()).await;
    browser.fill("Username", "bob").await;
    browser.fill("Password", "bob").await;
    browser.press("Sign in").await;
    browser.first_window().await;
    browser.see("Logout").await;
    browser.press("Close").await;

    browser.press("POST /orders Create order").await;
    browser.press("Try it out").await;
    for (order, told) in [
        (r#"{"item":"x","quantity":0}"#, "string_too_short"),
        (r#"{"item":"AB-1","quantity":3}"#, "created_at\": 1"),
    ] {
        browser.write("textarea", order).await;
        browser.press("Execute").await;
        browser.see(told).await;
    }
    let text = browser.text().await;
    assert!(text.contains("location: /orders/"), "{text}");
    browser.photograph("docs-order").await;
    browser.finish().await;
    assert!(process.terminate(), "it stops as it is told to");
}
