//! A token in a cookie: it counts for what reads, from the same site, and for nothing that another
//! site makes a browser send.

use super::setup::{PageSetup, call};
use crate::e2e::chromium::Chromium;
use serde_json::json;

/// Sent to every site, as a sign-in that knows no better would set it.
const TO_ALL: &str = "SameSite=None; Secure";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_source_of_the_same_site_sends_its_cookie() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let setup = PageSetup::new().await;
    setup
        .sign_in(&mut browser, &setup.origin(), "bob")
        .await;
    let cookie = json!(["SameSite=Strict"]);
    let none = browser
        .call("eventsByCookie", json!(["/events"]))
        .await;
    assert_eq!(none, json!({ "failed": true }));
    browser.call("keepInCookie", cookie).await;
    let events = browser
        .call("eventsByCookie", json!(["/events"]))
        .await;
    assert_eq!(events, json!({ "data": "one" }));
    // What changes something needs the header, even from a page that is listed.
    let by_cookie = json!({ "anonymous": true, "credentials": "include" });
    let read = call(&mut browser, "GET", "/me", by_cookie.clone()).await;
    assert_eq!(read["status"], 200, "{read}");
    setup.taken();
    let change = call(&mut browser, "POST", "/me", by_cookie).await;
    assert_eq!(
        (&change["status"], &change["code"]),
        (&json!(401), &json!("credential.missing"))
    );
    // A WebSocket of another origin is refused, although it is of the same site.
    let socket = browser.call("socket", json!(["/live", []])).await;
    assert_eq!(socket, json!({ "closed": 1006, "reason": "" }));
    assert!(setup.taken().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_use_the_cookie() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let setup = PageSetup::new().await;
    setup
        .sign_in(&mut browser, &setup.origin(), "alice")
        .await;
    browser.call("keepInCookie", json!([TO_ALL])).await;
    browser.call("keepWitness", json!([TO_ALL])).await;
    let evil = setup.foreign_origin();
    assert_eq!(browser.open(&format!("{evil}/")).await, 200);
    browser.see("Ready").await;
    setup.taken();

    let blind = json!({ "anonymous": true, "credentials": "include", "mode": "no-cors" });
    call(&mut browser, "GET", "/public/x", blind.clone()).await;
    // The browser does send cookies there, so the refusals below are the gateway's.
    assert_eq!(setup.taken(), ["GET /public/x witness=1"]);
    for method in ["GET", "POST"] {
        call(&mut browser, method, "/me", blind.clone()).await;
    }
    let socket = browser.call("socket", json!(["/live", []])).await;
    assert_eq!(socket, json!({ "closed": 1006, "reason": "" }));
    assert!(setup.taken().is_empty(), "none of them got through");

    browser
        .call("submitForm", json!(["/public/form"]))
        .await;
    browser
        .at(&format!("http://{}/public/form", setup.front))
        .await;
    assert_eq!(setup.taken(), ["POST /public/form witness=1"]);
    browser.open(&format!("{evil}/")).await;
    browser.see("Ready").await;
    browser.call("submitForm", json!(["/transfer"])).await;
    browser
        .at(&format!("http://{}/transfer", setup.front))
        .await;
    browser.see("credential.missing").await;
    assert!(setup.taken().is_empty());
}
