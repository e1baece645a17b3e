//! Sessions: going on without a page, logging out, and telling the other clients.

use crate::key::claims;
use crate::receiver::Receiver;
use crate::{
    CALLBACK, SERVICE, authorize_query, client, code_form, json, parameter, post, with_client,
};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use portcullis_idp::{Idp, IdpConfig, RegisteredClient};
use reqwest::Response;
use serde_json::{Value, json};

const BYE: &str = "http://127.0.0.1:4711/bye";

/// Two clients: `web`, as always, and `other`, which wants to be told.
fn config(told: &str) -> IdpConfig {
    let other = RegisteredClient {
        id: "other".to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        post_logout_redirect_uris: vec![BYE.to_owned()],
        backchannel_logout_uri: Some(told.to_owned()),
        scopes: vec!["orders:read".to_owned()],
        ..RegisteredClient::default()
    };
    let mut config = with_client(other);
    config.clients[1].post_logout_redirect_uris = vec![BYE.to_owned()];
    config
}

/// A browser: what it was given, as a header.
async fn sign_in(idp: &Idp, client_id: &str, cookie: &str) -> (Value, String) {
    let path = format!(
        "/authorize?{}",
        authorize_query(&[("client_id", client_id)])
    );
    let request = client()
        .post(format!("{}{path}", idp.issuer()))
        .header("cookie", cookie);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let response = request
        .body("username=alice&password=alice")
        .send()
        .await
        .unwrap();
    let cookie = response.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .to_owned();
    (tokens(idp, client_id, &response).await, cookie)
}

async fn tokens(idp: &Idp, client_id: &str, response: &Response) -> Value {
    let form = code_form(&parameter(response, "code").unwrap())
        .replace("client_id=web", &format!("client_id={client_id}"));
    let (status, tokens) = json(post(idp, "/token", &form, None).await).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

fn sent(cookie: &str) -> &str {
    cookie.split(';').next().unwrap()
}

async fn get(idp: &Idp, path: &str, cookie: &str) -> Response {
    client()
        .get(format!("{}{path}", idp.issuer()))
        .header("cookie", cookie)
        .send()
        .await
        .unwrap()
}

fn id_token(tokens: &Value) -> &str {
    tokens["id_token"].as_str().unwrap()
}

async fn is_active(idp: &Idp, tokens: &Value) -> bool {
    let form = format!("token={}", tokens["access_token"].as_str().unwrap());
    json(post(idp, "/introspect", &form, SERVICE).await)
        .await
        .1["active"]
        == true
}

#[tokio::test]
async fn a_client_logs_out_and_the_others_are_told() {
    let receiver = Receiver::start(&[200]).await;
    let idp = Idp::start(config(&receiver.url)).await.unwrap();
    let (web, cookie) = sign_in(&idp, "web", "").await;
    let (other, _) = sign_in(&idp, "other", &format!("x=y; {}", sent(&cookie))).await;
    let sid = claims(id_token(&web))["sid"].clone();
    assert_eq!(
        claims(id_token(&other))["sid"],
        sid,
        "one browser, one session"
    );
    let path = format!(
        "/logout?id_token_hint={}&post_logout_redirect_uri={BYE}&state=x%20y&client_id=web",
        id_token(&web)
    );
    let response = get(&idp, &path, "").await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], format!("{BYE}?state=x+y"));
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    assert!(!is_active(&idp, &web).await && !is_active(&idp, &other).await);
    let messages = receiver.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0][0], "application/x-www-form-urlencoded");
    let token = messages[0][2].strip_prefix("logout_token=").unwrap();
    let keys: JwkSet = serde_json::from_str(&idp.jwks()).unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("logout+jwt"));
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["other"]);
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let told = decode::<Value>(token, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!(
        crate::members(&told),
        ["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"]
    );
    assert_eq!(
        (&told["sid"], &told["sub"]),
        (&sid, &claims(id_token(&other))["sub"])
    );
    assert_eq!(
        told["events"],
        json!({ "http://schemas.openid.net/event/backchannel-logout": {} })
    );
    assert_eq!(told["iss"], idp.issuer().as_str());
    get(&idp, &path, "").await;
    assert_eq!(receiver.messages().len(), 1, "told once");
}

#[tokio::test]
async fn requests_that_show_nothing_ask_the_user() {
    let idp = Idp::start(config("http://127.0.0.1:1/told"))
        .await
        .unwrap();
    let (web, cookie) = sign_in(&idp, "web", "").await;
    let cookie = sent(&cookie);
    let path = format!("/logout?client_id=web&post_logout_redirect_uri={BYE}");
    let asked = get(&idp, &path, cookie).await.text().await.unwrap();
    assert!(
        asked.contains("Do you want to sign out?") && asked.contains(BYE),
        "{asked}"
    );
    assert!(is_active(&idp, &web).await);
    let form = format!("client_id=web&post_logout_redirect_uri={BYE}&confirm=1");
    // Another site's form does not come with the cookie: nothing happens to the session.
    assert_eq!(post(&idp, "/logout", &form, None).await.status(), 303);
    assert!(is_active(&idp, &web).await);
    let request = client()
        .post(format!("{}/logout", idp.issuer()))
        .header("cookie", cookie)
        .body(form);
    assert_eq!(request.send().await.unwrap().headers()["location"], BYE);
    assert!(!is_active(&idp, &web).await);
    assert!(
        get(&idp, "/logout", "")
            .await
            .text()
            .await
            .unwrap()
            .contains("You are signed out.")
    );
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let idp = Idp::start(config("http://127.0.0.1:1/told"))
        .await
        .unwrap();
    let (web, _) = sign_in(&idp, "web", "").await;
    let hint = id_token(&web);
    for query in [
        format!("id_token_hint={hint}&post_logout_redirect_uri=https://evil.example/"),
        format!("id_token_hint={hint}&post_logout_redirect_uri={CALLBACK}"),
        format!("post_logout_redirect_uri={BYE}"),
        format!("id_token_hint={hint}&client_id=other"),
        "id_token_hint=made-up".to_owned(),
        format!("id_token_hint={}", web["access_token"].as_str().unwrap()),
        "state=x&state=y".to_owned(),
    ] {
        let response = get(&idp, &format!("/logout?{query}"), "").await;
        assert_eq!(
            (
                response.status().as_u16(),
                response.headers().get("location")
            ),
            (400, None),
            "{query}"
        );
    }
    assert!(is_active(&idp, &web).await);
}

#[tokio::test]
async fn a_browser_goes_on_without_a_page() {
    let idp = Idp::start(config("http://127.0.0.1:1/told"))
        .await
        .unwrap();
    let (web, cookie) = sign_in(&idp, "web", "").await;
    assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
    let go_on = async |change: &[(&str, &str)], cookie: &str| {
        let change = [&[("prompt", "none")], change].concat();
        get(
            &idp,
            &format!("/authorize?{}", authorize_query(&change)),
            cookie,
        )
        .await
    };
    let silent = go_on(&[("client_id", "other"), ("max_age", "60")], sent(&cookie)).await;
    let other = tokens(&idp, "other", &silent).await;
    let told = ["sid", "auth_time"].map(|name| claims(id_token(&other))[name].clone());
    assert_eq!(
        told,
        ["sid", "auth_time"].map(|name| claims(id_token(&web))[name].clone())
    );
    let hinted = go_on(&[("id_token_hint", id_token(&web))], sent(&cookie)).await;
    assert!(parameter(&hinted, "code").is_some());
    for (change, with) in [
        (vec![], ""),
        (vec![("id_token_hint", "made-up")], sent(&cookie)),
        (vec![], "portcullis-idp=made-up"),
    ] {
        let response = go_on(&change, with).await;
        assert_eq!(
            parameter(&response, "error").as_deref(),
            Some("login_required"),
            "{change:?}"
        );
    }
    assert_eq!(
        parameter(&go_on(&[("max_age", "soon")], "").await, "error").as_deref(),
        Some("invalid_request")
    );
    let page = get(
        &idp,
        &format!("/authorize?{}", authorize_query(&[])),
        sent(&cookie),
    )
    .await;
    assert_eq!(
        page.status(),
        200,
        "without `prompt=none` somebody else may sign in"
    );
}

#[tokio::test]
async fn a_test_logs_a_user_out_and_sees_who_was_told() {
    let receiver = Receiver::start(&[400]).await;
    let idp = Idp::start(config(&receiver.url)).await.unwrap();
    let (other, _) = sign_in(&idp, "other", "").await;
    sign_in(&idp, "web", "").await;
    let notices = idp.logout("alice").await;
    let told: Vec<_> = notices
        .iter()
        .map(|it| (it.client.as_str(), it.uri.as_str(), it.status))
        .collect();
    assert_eq!(told, [("other", receiver.url.as_str(), Some(400))]);
    assert!(!is_active(&idp, &other).await);
    assert!(idp.logout("alice").await.is_empty());
    let idp = Idp::start(config("http://127.0.0.1:1/told"))
        .await
        .unwrap();
    sign_in(&idp, "other", "").await;
    let (status, told) = json(post(&idp, "/dev/logout", "user=alice", None).await).await;
    assert_eq!(status, 200);
    assert_eq!(
        told,
        json!([{
            "client": "other",
            "uri": "http://127.0.0.1:1/told",
            "status": null,
            "error": null,
        }])
    );
    for wrong in [
        "http://app.example/told",
        "ftp://127.0.0.1/",
        "told",
        "https://u:p@app.example/",
    ] {
        let errors = Idp::start(config(wrong))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            errors.contains("backchannel_logout_uri: expected an https address"),
            "{wrong}: {errors}"
        );
    }
}

#[tokio::test]
async fn a_refused_logout_is_shown_and_a_flawed_one_is_sent() {
    let receiver = Receiver::start(&[400, 200]).await;
    receiver.answer_with(r#"{"error": "invalid_request", "error_description": "no"}"#);
    let idp = Idp::start(config(&receiver.url)).await.unwrap();
    sign_in(&idp, "other", "").await;
    let notices = idp.logout("alice").await;
    assert_eq!(
        (notices[0].status, notices[0].error.as_deref()),
        (Some(400), Some("invalid_request"))
    );
    sign_in(&idp, "other", "").await;
    let form = "user=alice&flaw=nonce";
    let (status, notices) = json(post(&idp, "/dev/logout", form, None).await).await;
    assert_eq!((status, &notices[0]["status"]), (200, &json!(200)));
    let sent = receiver.messages()[1][2].clone();
    let token = sent.strip_prefix("logout_token=").unwrap();
    assert!(claims(token)["nonce"].is_string());
    let wrong = post(&idp, "/dev/logout", "user=alice&flaw=exp", None).await;
    assert_eq!(wrong.status(), 400);
}
