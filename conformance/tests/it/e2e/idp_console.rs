//! The development identity provider's console, as somebody uses it in Chromium.

use super::chromium::Chromium;
use http::HeaderMap;
use portcullis::{Decision, Requirement, ResourceServer};
use portcullis_idp::{Idp, IdpConfig, User};
use serde_json::json;

pub(super) async fn idp() -> Idp {
    let defaults = IdpConfig::default();
    let mut users = defaults.users.clone();
    // Claims are foreign input, here too.
    let hostile = "<img src=x onerror=alert(1)>\"'&";
    let mallory = User {
        username: "mallory".to_owned(),
        name: hostile.to_owned(),
        ..users[1].clone()
    };
    users.push(User {
        claims: json!({ "note": hostile }).as_object().unwrap().clone(),
        ..mallory
    });
    Idp::start(IdpConfig { users, ..defaults })
        .await
        .unwrap()
}

pub(super) fn at(idp: &Idp, path: &str) -> String {
    format!("{}{path}", idp.base())
}

pub(super) async fn post(idp: &Idp, path: &str, form: &'static str) -> (u16, String) {
    let request = reqwest::Client::new()
        .post(at(idp, path))
        .basic_auth("service", Some("service-secret"));
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// What an API does with a token: `allow`, or the code of its refusal.
async fn judged(server: &ResourceServer, token: &str) -> String {
    let headers = [(
        http::header::AUTHORIZATION,
        format!("Bearer {token}").parse().unwrap(),
    )];
    match server
        .decide(
            &HeaderMap::from_iter(headers),
            None,
            &Requirement::ValidToken,
        )
        .await
    {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Deny(rejection) => rejection.code().to_string(),
        Decision::Fail(outage) => outage.code().to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_made_and_an_api_accepts_it() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = idp().await;
    let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
    browser.open(&at(&idp, "/")).await;
    browser
        .see("OAUTH2_AUDIENCE=api://enterprise-api")
        .await;
    browser
        .press("Copy Settings for your application")
        .await;
    assert!(
        browser
            .clipboard()
            .await
            .starts_with(&format!("OAUTH2_ISSUER={}\n", idp.issuer()))
    );
    browser.examine("console-overview").await;

    browser.follow("Make a token").await;
    browser.examine("console-make").await;
    browser.choose("For", "bob").await;
    browser.fill("Roles", "Auditor").await;
    browser
        .fill("Any claims, as JSON", "{\"department\": \"sales\", ")
        .await;
    browser.press("Make token").await;
    browser.see("claims: expected a JSON object").await;
    // What was typed is still there.
    assert_eq!(browser.value("Roles").await, "Auditor");
    browser.examine("console-make-wrong").await;
    browser
        .fill(
            "Any claims, as JSON",
            "{\"department\": \"<b>sales</b>\", \"email\": null}",
        )
        .await;
    browser.press("Make token").await;
    browser.see("\"<b>sales</b>\"").await;
    browser.examine("console-token").await;
    browser.press("Copy the token").await;
    let token = browser.clipboard().await;
    assert_eq!(judged(&server, &token).await, "allow");
    let text = browser.text().await;
    assert!(
        text.contains("\"Auditor\"") && !text.contains("bob@example.test"),
        "{text}"
    );

    for (flaw, code) in [
        ("expired an hour ago", "token.expired"),
        (
            "signed by another key, under the right name",
            "token.signature",
        ),
        ("not signed at all (alg none)", "token.algorithm"),
        ("for another audience", "token.audience"),
    ] {
        browser
            .open(&at(&idp, "/console/make?user=alice"))
            .await;
        browser.choose("Flaw", flaw).await;
        browser.press("Make token").await;
        browser.see("Use the token").await;
        browser.press("Copy the token").await;
        assert_eq!(
            judged(&server, &browser.clipboard().await).await,
            code,
            "{flaw}"
        );
    }
    browser.follow("Tokens").await;
    browser.see("made on the console").await;
    browser.examine("console-tokens").await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_switched_on_and_seen() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = idp().await;
    let ask = async || post(&idp, "/token", "grant_type=client_credentials").await;
    browser.open(&at(&idp, "/console/faults")).await;
    browser.examine("console-faults").await;
    browser.choose("token", "429 with Retry-After").await;
    browser
        .choose("Access tokens", "expired an hour ago")
        .await;
    browser
        .fill("ID tokens: changed claims", "{\"aud\": \"other\"}")
        .await;
    browser
        .fill("Seconds ahead; negative for behind", "-90")
        .await;
    browser.press("Apply").await;
    browser.see("4 on").await;
    assert_eq!(
        browser.value("ID tokens: changed claims").await,
        "{\"aud\":\"other\"}"
    );
    browser.examine("console-faults-on").await;
    assert_eq!(ask().await.0, 429);

    browser
        .fill("Access tokens: changed claims", "[1]")
        .await;
    browser.press("Apply").await;
    browser
        .see("access_token_claims: expected a JSON object")
        .await;
    assert_eq!(ask().await.0, 429, "what is wrong changes nothing");

    browser.press("Clear all faults").await;
    browser.see("All faults cleared").await;
    assert!(!browser.text().await.contains(" on\n"));
    assert_eq!(ask().await.0, 200);
    assert_eq!(post(&idp, "/token", "grant_type=password").await.0, 400);

    browser.follow("Requests").await;
    let text = browser.text().await;
    assert!(
        text.contains("fault: 429") && text.contains("unsupported_grant_type"),
        "{text}"
    );
    browser.examine("console-requests").await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_and_tokens_revoked() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = idp().await;
    let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
    let first = idp.token("alice").sign();
    assert_eq!(judged(&server, &first).await, "allow");
    let kids = |jwks: &str| jwks.matches("\"kid\"").count();
    browser.open(&at(&idp, "/console/keys")).await;
    browser.press("Rotate keys").await;
    browser.see("published").await;
    assert_eq!(kids(&idp.jwks()), 2);
    assert_eq!(judged(&server, &idp.token("alice").sign()).await, "allow");
    browser.press("Rotate without overlap").await;
    browser.see("retired").await;
    browser.examine("console-keys").await;
    assert_eq!(kids(&idp.jwks()), 1);

    let (_, token) = post(&idp, "/dev/token", "user=alice&scope=openid").await;
    let userinfo = || {
        reqwest::Client::new()
            .get(at(&idp, "/userinfo"))
            .bearer_auth(&token)
            .send()
    };
    assert_eq!(userinfo().await.unwrap().status(), 200);
    browser.open(&at(&idp, "/console/tokens")).await;
    browser.follow("Access token #1").await;
    browser.press("Revoke").await;
    browser.see("unknown to introspection").await;
    assert_eq!(userinfo().await.unwrap().status(), 401);
    assert_eq!(browser.open(&at(&idp, "/console/tokens/99")).await, 404);
    browser.see("no longer kept").await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_and_what_there_is() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = idp().await;
    for (page, told) in [
        ("users", "<img src=x onerror=alert(1)>"),
        ("clients", "service-secret"),
        ("tokens", "None yet."),
        ("requests", "None yet."),
        ("events", "None yet."),
    ] {
        assert_eq!(
            browser
                .open(&at(&idp, &format!("/console/{page}")))
                .await,
            200
        );
        assert!(browser.text().await.contains(told), "{page}");
        let empty = if told == "None yet." { "-empty" } else { "" };
        browser
            .examine(&format!("console-{page}{empty}"))
            .await;
    }
    // By keyboard alone: the first stop leads past the menu.
    browser.open(&at(&idp, "/console")).await;
    browser.key("Tab").await;
    assert_eq!(browser.focused().await, "Skip to content");
    browser.key("Enter").await;
    assert!(browser.focused().await.starts_with("Overview"));
    browser.finish().await;
}
