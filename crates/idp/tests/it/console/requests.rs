//! The list of requests, and one of them with its reason.

use super::{page, started};
use crate::{CALLBACK, SERVICE, authorize_query, client, code, code_form, json, post};

#[tokio::test]
async fn requests_are_kept_with_their_errors_and_without_secrets() {
    let idp = started().await;
    let form = "grant_type=client_credentials&client_secret=marked-secret&client_id=service";
    assert_eq!(post(&idp, "/token", form, None).await.status(), 401);
    for _ in 0..120 {
        client().get(idp.jwks_uri()).send().await.unwrap();
    }
    assert_eq!(
        page(&idp, "/console/requests")
            .await
            .matches("<tr>")
            .count(),
        101,
        "a hundred, and the head"
    );
    assert_eq!(post(&idp, "/token", form, None).await.status(), 401);
    let page = page(&idp, "/console/requests").await;
    assert!(
        page.contains("invalid_client")
            && page.contains("client_<wbr>credentials")
            && !page.contains("marked")
    );
}

/// The number of the newest request.
async fn newest(idp: &portcullis_idp::Idp) -> String {
    let list = page(idp, "/console/requests").await;
    let (_, rest) = list.split_once("href=\"/console/requests/").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn one_request_shows_its_parameters_and_the_reason() {
    let idp = started().await;
    let form = "grant_type=client_credentials&scope=orders:delete";
    assert_eq!(post(&idp, "/token", form, SERVICE).await.status(), 400);
    let shown = page(&idp, &format!("/console/requests/{}", newest(&idp).await)).await;
    for told in [
        "client_credentials",
        "<code>orders:delete</code>",
        "The client asked for a scope that it may not have.",
        "[[client]] id = 'service' scopes = [..., 'orders:delete']",
        "Basic",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert!(!shown.contains("service-secret"));
    let gone = client().get(format!("{}/console/requests/77", idp.base()));
    assert_eq!(gone.send().await.unwrap().status(), 404);
}

/// A page, a challenge and an inactive token have no member that says why.
#[tokio::test]
async fn every_refusal_has_its_reason() {
    let idp = started().await;
    let query = authorize_query(&[("redirect_uri", "http://localhost:3000/cb")]);
    let get = async |path: String| {
        client()
            .get(idp.base().to_owned() + &path)
            .send()
            .await
    };
    assert_eq!(
        get(format!("/authorize?{query}"))
            .await
            .unwrap()
            .status(),
        400
    );
    let shown = page(&idp, "/console/requests/1").await;
    assert!(
        shown.contains("expected one of the <code>redirect_uris</code> of client"),
        "{shown}"
    );
    assert!(shown.contains("found <code>http://localhost:3000/cb</code>"));
    assert_eq!(get("/userinfo".to_owned()).await.unwrap().status(), 401);
    let bad = client()
        .get(format!("{}/userinfo", idp.base()))
        .bearer_auth("marked");
    assert_eq!(bad.send().await.unwrap().status(), 401);
    let shown = page(&idp, "/console/requests/3").await;
    assert!(
        shown.contains("The access token is unknown, expired or revoked"),
        "{shown}"
    );
    post(&idp, "/introspect", "token=marked", SERVICE).await;
    let shown = page(&idp, "/console/requests/4").await;
    assert!(shown.contains("The token is unknown here"), "{shown}");
    assert!(shown.contains("hidden, 6 characters") && !shown.contains("marked"));
}

#[tokio::test]
async fn the_list_is_filtered() {
    let idp = started().await;
    let form = "grant_type=client_credentials";
    post(&idp, "/token", form, SERVICE).await;
    post(&idp, "/token", "grant_type=none", SERVICE).await;
    post(&idp, "/introspect", "token=x", SERVICE).await;
    client().get(idp.jwks_uri()).send().await.unwrap();
    for (query, rows) in [
        ("", 4),
        ("?endpoint=token", 2),
        ("?endpoint=token&outcome=refused", 1),
        ("?outcome=accepted", 3),
        ("?client=service", 3),
        ("?client=nobody", 0),
    ] {
        let list = page(&idp, &format!("/console/requests{query}")).await;
        assert_eq!(list.matches("<th scope=\"row\">").count(), rows, "{query}");
    }
}

/// The right kind, the user, and the flaw, also where a flow was told to spoil its tokens.
#[tokio::test]
async fn tokens_are_listed_by_what_they_are() {
    let idp = started().await;
    post(&idp, "/dev/token", "user=bob&format=id-token", None).await;
    let list = page(&idp, "/console/tokens").await;
    assert!(
        list.contains("ID token <") && !list.contains("Access token <"),
        "{list}"
    );
    post(&idp, "/dev/token", "user=bob&flaw=wrong-audience", None).await;
    let list = page(&idp, "/console/tokens").await;
    assert!(list.contains("flaw: for another audience"), "{list}");
    post(&idp, "/dev/faults", "id_token_flaw=wrong-key", None).await;
    let form = code_form(&code(&idp).await);
    let (_, answer) = json(post(&idp, "/token", &form, None).await).await;
    let list = page(&idp, "/console/tokens").await;
    assert_eq!(
        list.matches("flaw: signed by another key").count(),
        1,
        "the ID token alone"
    );
    assert!(
        list.contains("<span class=\"quiet\">used</span>"),
        "the code: {list}"
    );

    // The refresh token is the fourth: two made to order, and the code.
    let refresh = format!(
        "grant_type=refresh_token&client_id=web&refresh_token={}",
        answer["refresh_token"].as_str().unwrap()
    );
    assert!(
        page(&idp, "/console/tokens/4")
            .await
            .contains("Refresh token #4")
    );
    let revoked = post(&idp, "/console/tokens/4/revoke", "", None).await;
    assert_eq!(revoked.status(), 303);
    assert_eq!(post(&idp, "/token", &refresh, None).await.status(), 400);
    assert!(
        page(&idp, "/console/tokens/4")
            .await
            .contains(">revoked<")
    );
}

/// A code that was revoked before it was used is worth nothing.
#[tokio::test]
async fn a_revoked_code_gives_no_tokens() {
    let idp = started().await;
    let form = code_form(&code(&idp).await);
    assert_eq!(
        post(&idp, "/console/tokens/1/revoke", "", None)
            .await
            .status(),
        303
    );
    let (status, answer) = json(post(&idp, "/token", &form, None).await).await;
    assert_eq!(
        (status, answer["error"].as_str()),
        (400, Some("invalid_grant"))
    );
    assert!(CALLBACK.starts_with("http://127.0.0.1"));
}

/// The clock of tokens may be wrong; a request was made when it was made.
#[tokio::test]
async fn a_wrong_clock_does_not_move_requests() {
    let idp = started().await;
    idp.set_clock_off(864_000);
    client().get(idp.jwks_uri()).send().await.unwrap();
    idp.clear_faults();
    let shown = page(&idp, "/console/requests").await;
    assert!(
        !shown.contains("in 9 days") && !shown.contains("in 10 days"),
        "{shown}"
    );
}
