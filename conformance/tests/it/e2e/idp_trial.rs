//! The console's tools for somebody whose sign-in fails: a sign-in step by step, the list of
//! requests, and the forms for users and clients.

use super::chromium::Chromium;
use super::idp_console::{at, idp, post};
use portcullis_idp::Endpoint;

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_tried_step_by_step() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = idp().await;
    browser.open(&at(&idp, "/console/try")).await;
    browser.examine("console-try").await;
    browser.choose("User", "mallory").await;
    browser.fill("State", "<b>state</b>").await;
    browser.press("Continue").await;
    browser.see("Authorization request").await;
    browser.examine("console-try-request").await;
    // The user's password is known, and can be changed.
    assert_eq!(browser.value("Password").await, "bob");
    browser.press("Send and sign in").await;
    browser.see("The browser goes back to").await;
    browser.see("<b>state</b>").await;
    browser.press("Get tokens").await;
    browser.see("preferred_username").await;
    // A claim of the user, which is foreign text.
    browser.see("<img src=x onerror=alert(1)>").await;
    browser.press("Ask UserInfo").await;
    browser.press("Introspect").await;
    browser.see("\"active\": true").await;
    browser.press("Refresh").await;
    browser.see("refresh_token").await;
    browser.press("Exchange").await;
    browser.see("issued_token_type").await;
    browser.examine("console-try-done").await;
    assert_eq!(idp.requests(Endpoint::Token), 3);

    browser.follow("Try another one").await;
    browser
        .fill("Redirect URI", "http://localhost:3000/cb")
        .await;
    browser.press("Continue").await;
    browser.press("Send and sign in").await;
    browser.see("found http://localhost:3000/cb").await;
    browser.examine("console-try-refused").await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_appear_while_somebody_looks() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = idp().await;
    browser.open(&at(&idp, "/console/requests")).await;
    browser.see("None yet.").await;
    let form = "grant_type=client_credentials&scope=orders:delete";
    assert_eq!(post(&idp, "/token", form).await.0, 400);
    browser.see("invalid_scope").await;
    // Stopped, and filtered to what does not match.
    browser.press("Live").await;
    browser.choose("Outcome", "accepted").await;
    browser.press("Filter").await;
    browser
        .see("None of 1 requests is of this kind.")
        .await;
    browser.choose("Outcome", "refused").await;
    browser.press("Filter").await;
    browser.follow("POST /token").await;
    browser
        .see("The client asked for a scope that it may not have.")
        .await;
    browser.see("scopes = [..., 'orders:delete']").await;
    browser.examine("console-request").await;
    browser.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_clients_are_added_by_hand() {
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let idp = idp().await;
    browser.open(&at(&idp, "/console/users")).await;
    browser.follow("Add a user").await;
    browser.fill("Username", "alice").await;
    browser.press("Add user").await;
    browser.see("which exists").await;
    browser.examine("console-user-wrong").await;
    browser.fill("Username", "carol").await;
    browser.fill("Roles", "Admin\nAudit Clerk").await;
    browser.press("Add user").await;
    browser.see("by hand").await;
    browser.examine("console-users-changed").await;
    browser.follow("Edit carol").await;
    browser.examine("console-user").await;
    assert_eq!(browser.value("Roles").await, "Admin\nAudit Clerk");
    browser.press("Save user").await;

    browser.follow("Clients").await;
    browser.follow("Add a client").await;
    browser.fill("Client ID", "spa").await;
    browser
        .fill("Redirect URIs", "http://localhost:3000/cb")
        .await;
    browser.examine("console-client").await;
    browser.press("Add client").await;
    browser.see("http://localhost:3000/cb").await;
    browser.follow("Save as settings").await;
    browser.see("username = \"carol\"").await;
    browser.examine("console-settings").await;
    assert_eq!(post(&idp, "/dev/token", "user=carol").await.0, 200);
    browser.follow("Users").await;
    browser.follow("Edit carol").await;
    browser.press("Remove user").await;
    browser.see("People who can sign in.").await;
    assert_eq!(post(&idp, "/dev/token", "user=carol").await.0, 400);
    browser.finish().await;
}
