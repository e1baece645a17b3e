//! The page calls the gateway's own proxy.

use super::setup::{PageSetup, call};
use crate::e2e::chromium::Chromium;
use portcullis_idp::{Endpoint, Fault};
use serde_json::{Value, json};
use std::time::Duration;

/// All that a page does in an hour: what it can read of each answer, and how it renews its token.
pub(super) async fn spend_an_hour(setup: &PageSetup, browser: &mut Chromium) {
    setup.sign_in(browser, &setup.origin(), "bob").await;
    let found = call(browser, "GET", "/me", json!({})).await;
    assert_eq!(found["status"], 200, "{found}");
    assert!(
        found["text"]
            .as_str()
            .unwrap()
            .contains("\"subject\":\"")
    );
    assert!(found["secret"].is_null(), "it is not exposed");
    let none = call(browser, "GET", "/me", json!({ "anonymous": true })).await;
    assert_eq!(
        (&none["status"], &none["code"]),
        (&json!(401), &json!("credential.missing"))
    );
    assert_eq!(none["challenge"], "Bearer realm=\"api\"");
    assert!(none["requestId"].is_string());

    let with_cookies = call(browser, "GET", "/me", json!({ "credentials": "include" })).await;
    assert_eq!(with_cookies["status"], 200, "credentials are allowed");
    let role = call(browser, "GET", "/admin", json!({})).await;
    assert_eq!(
        (&role["status"], &role["code"]),
        (&json!(403), &json!("policy.role"))
    );
    let scope = call(browser, "POST", "/orders", json!({ "body": "{}" })).await;
    assert_eq!(
        (&scope["status"], &scope["code"]),
        (&json!(403), &json!("policy.scope"))
    );
    let challenge = scope["challenge"].as_str().unwrap();
    assert!(
        challenge.contains("error=\"insufficient_scope\"") && challenge.contains("orders:write")
    );
    setup.taken();

    expire(setup, browser).await;
    // The provider is gone, and its keys are too old: it says nothing about the token.
    setup.idp.fail(Endpoint::Jwks, Fault::InternalError);
    setup.clock.advance(Duration::from_secs(90_000));
    browser.call("refresh", json!([])).await;
    let outage = call(browser, "GET", "/me", json!({})).await;
    assert_eq!(
        (&outage["status"], &outage["code"]),
        (&json!(503), &json!("outage.keys"))
    );
    assert!(
        outage["retryAfter"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            > 0
    );
    setup.idp.fail(Endpoint::Jwks, Fault::None);
    assert!(setup.taken().is_empty(), "no refusal reaches the API");
}

/// The token expires while the page is open. The page reads the 401, renews, and asks again.
async fn expire(setup: &PageSetup, browser: &mut Chromium) {
    let token = browser.call("token", json!([])).await;
    setup.clock.advance(Duration::from_secs(1_000));
    let expired = call(browser, "GET", "/me", json!({})).await;
    assert_eq!(
        (&expired["status"], &expired["code"]),
        (&json!(401), &json!("token.expired"))
    );
    let challenge = browser
        .call("challengeOf", json!(["/me", token]))
        .await;
    assert_eq!(challenge["scheme"], "bearer", "{challenge}");
    assert_eq!(
        challenge["parameters"]["error"], "invalid_token",
        "{challenge}"
    );
    let statuses = browser.call("callAndRenew", json!(["/me"])).await;
    assert_eq!(statuses, json!([401, 200]));
    assert_eq!(setup.taken(), ["GET /me"], "one got through");
}

/// The same page on another origin reads nothing, and its preflights end at the gateway.
pub(super) async fn visit_from_elsewhere(setup: &PageSetup, browser: &mut Chromium) {
    setup
        .sign_in(browser, &setup.foreign_origin(), "bob")
        .await;
    setup.taken();
    let failed: Value = json!({ "failed": "TypeError" });
    for (method, path) in [("GET", "/me"), ("POST", "/orders"), ("GET", "/public/x")] {
        assert_eq!(
            call(browser, method, path, json!({})).await,
            failed,
            "{path}"
        );
    }
    assert!(setup.taken().is_empty(), "each of them needed a preflight");
    // Without a token it is a simple request: it is answered, and the page cannot read it.
    let simple = json!({ "anonymous": true });
    assert_eq!(call(browser, "GET", "/public/x", simple).await, failed);
    assert_eq!(setup.taken(), ["GET /public/x"]);
    let complaints = browser.take_complaints().await;
    assert!(!complaints.is_empty());
    for complaint in complaints {
        assert!(
            complaint.contains("CORS policy") || complaint.contains("ERR_FAILED"),
            "{complaint}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reads_every_answer_and_renews_its_token() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let setup = PageSetup::new().await;
    spend_an_hour(&setup, &mut browser).await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_reads_nothing() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let setup = PageSetup::new().await;
    visit_from_elsewhere(&setup, &mut browser).await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_a_page_end_with_their_token() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let setup = PageSetup::new().await;
    setup
        .sign_in(&mut browser, &setup.origin(), "bob")
        .await;
    let events = browser.call("eventsByFetch", json!(["/events"])).await;
    assert_eq!(events, json!(["data: one", "data: two"]));
    let live = browser.call("socketWithToken", json!(["/live"])).await;
    assert_eq!(live["protocol"], "chat", "{live}");
    let told = live["data"].as_str().unwrap();
    let (offered, subject) = told.split_once(' ').unwrap();
    assert!(offered == "chat" && !subject.is_empty(), "{told}");
    setup.clock.advance(Duration::from_secs(1_000));
    let end = browser.call("socketEnd", json!([])).await;
    assert_eq!(
        end,
        json!({ "closed": 1008, "reason": "the access token expired" })
    );
    browser.finish().await;
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    // A refused handshake has no status for a page; it stays outside all the same.
    setup
        .sign_in(&mut browser, &setup.origin(), "bob")
        .await;
    setup.taken();
    let refused = browser
        .call("socket", json!(["/live", ["bearer", "rubbish"]]))
        .await;
    assert_eq!(refused, json!({ "closed": 1006, "reason": "" }));
    assert!(setup.taken().is_empty());
}
